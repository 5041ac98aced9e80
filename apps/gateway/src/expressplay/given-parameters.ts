import type { GivenParameters } from '@latchkey/contracts';
import type { FastifyRequest } from 'fastify';

type Values = ReadonlyMap<string, readonly string[]>;

/** The query of a request as it was sent, every value of every name. */
export function queryOf(request: FastifyRequest): Values {
  const [, ...query] = (request.raw.url ?? '').split('?');
  return valuesOf(new URLSearchParams(query.join('?')));
}

/** The form of a request, once it is read. */
export function formOf(request: FastifyRequest): Values {
  return request.body instanceof URLSearchParams ? valuesOf(request.body) : new Map();
}

/** Everything that a request says, as the table of parameters wants it. */
export function givenParameters(request: FastifyRequest): GivenParameters {
  return {
    parameters: merged(queryOf(request), formOf(request)),
    headers: new Map(Object.entries(request.raw.headersDistinct).map(([name, values]) => [name, values ?? []])),
    path: new Map(Object.entries(request.params as Record<string, string>).map(([name, value]) => [name, [value]])),
    body: membersOf(request.body),
  };
}

/** The members of a JSON body as texts; a whole number is one. What is neither is there, and is nothing that could be read. */
function membersOf(body: unknown): GivenParameters['body'] {
  if (typeof body !== 'object' || body === null || body instanceof URLSearchParams) return new Map();
  return new Map(
    Object.entries(body)
      .filter(([, value]) => value !== null)
      .map(([name, value]: [string, unknown]) => [name, [typeof value === 'string' ? value : Number.isSafeInteger(value) ? String(value) : undefined]]),
  );
}

/** In one pass: looking up each name by itself would take a body full of names, which anybody may send, for seconds. */
function valuesOf(parameters: URLSearchParams): Values {
  const values = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const said = values.get(name);
    if (said) said.push(value);
    else values.set(name, [value]);
  }
  return values;
}

function merged(one: Values, other: Values): Values {
  return new Map([...new Set([...one.keys(), ...other.keys()])].map((name) => [name, [...(one.get(name) ?? []), ...(other.get(name) ?? [])]]));
}
