import { errorCodes, type ErrorCode, type OperationContract, operations, Problem, statusesOf } from '@latchkey/contracts';
import type { z } from 'zod';
import { type JsonSchema, JsonSchemas } from './json-schemas.js';
import { refusalsByStatus } from './refusals.js';

type Json = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: Readonly<Record<string, Json>>;
}

/** Where the two servers are reached, as `http://host:port`. */
export interface ApiOrigins {
  readonly gateway: string;
  readonly licenseServer: string;
}

const defaultOrigins: ApiOrigins = { gateway: 'http://127.0.0.1:8080', licenseServer: 'http://127.0.0.1:8081' };

const tags = {
  gateway: { name: 'Merchant side', description: 'For merchants and their checkouts, on the gateway' },
  'license-server': { name: 'Device side', description: 'For players, on the licence server' },
  both: { name: 'Everyone', description: 'On the gateway and on the licence server' },
} as const;

const headersOfStatus: Readonly<Record<number, readonly string[]>> = { 401: ['WWW-Authenticate'], 429: ['Retry-After'], 503: ['Retry-After'] };

/**
 * The OpenAPI document of the public surface, from the very operations and schemas that route, guard and validate. Pure:
 * the same contracts give the same document, so that a check can compare it with the one that is checked in.
 */
export function openApiDocument(origins: ApiOrigins = defaultOrigins, list: readonly OperationContract[] = operations.operations): OpenApiDocument {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of list) {
    const item = (paths[operation.path] ??= {});
    item[operation.method.toLowerCase()] = describe(operation, schemas);
    if (operation.server === 'license-server') item['servers'] = [{ url: origins.licenseServer, description: 'The licence server' }];
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version: '1',
      description: 'Device-bound licences for streaming. Errors are problem documents (RFC 9457) with a stable `code`.',
    },
    servers: [{ url: origins.gateway, description: 'The gateway' }],
    tags: Object.values(tags),
    paths,
    components: { schemas: { ...schemas.components, ...problemSchemas }, examples: problemExamples(), headers, securitySchemes },
  };
}

const securitySchemes: Readonly<Record<string, Json>> = {
  apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'lk_<env>_<keyId>_<secret>', description: 'An API key of the merchant, `lk_…`, without the word Bearer. What it may do are its scopes.' },
  dpop: { type: 'http', scheme: 'DPoP', description: 'A registration or content token with a proof of the device’s key in the header `DPoP` (RFC 9449)' },
};

const headers: Readonly<Record<string, Json>> = {
  'WWW-Authenticate': { description: 'Which credentials are wanted', schema: { type: 'string' } },
  'Retry-After': { description: 'After how many seconds the same request may be sent again', schema: { type: 'integer', minimum: 0 } },
  'DPoP-Nonce': { description: 'The nonce for the next proof (RFC 9449 §8)', schema: { type: 'string' } },
};

const problemSchemas: Readonly<Record<string, JsonSchema>> = {
  ErrorCode: { type: 'string', enum: Object.keys(errorCodes), description: 'A stable code; one that a client does not know is to be taken by its status' },
  Problem: {
    type: 'object',
    description: 'A problem document (RFC 9457)',
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { $ref: '#/components/schemas/ErrorCode' },
      detail: { type: 'string' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          properties: { path: { type: 'string', description: 'A JSON Pointer (RFC 6901)' }, message: { type: 'string' } },
          required: ['path', 'message'],
        },
      },
      requestId: { type: 'string', description: 'Only on 5xx: names the request in the logs' },
    },
    required: ['type', 'title', 'status', 'code'],
  },
};

function describe(operation: OperationContract, schemas: JsonSchemas): Json {
  const { id, summary, server, security, body } = operation;
  const parameters = parametersOf(operation, schemas);
  return {
    operationId: id,
    summary,
    ...noteOn(operation),
    tags: [tags[server].name],
    security: securityOf(security),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: operation.bodyOptional !== true, content: { 'application/json': { schema: schemas.of(body) } } } } : {}),
    responses: { ...successes(operation, schemas), ...refusals(operation) },
  };
}

/** What cannot be tried on a page is said where somebody would try it. */
function noteOn({ security, answers }: OperationContract): Json {
  if (security.kind === 'dpop') {
    return { description: 'A device signs each of these requests with its key, so a page cannot send them. `npm run device` can, a device for the command line; docs/recipes.md shows it at work.' };
  }
  if (Object.values(answers).some(({ mediaType }) => mediaType === 'text/event-stream')) {
    return { description: 'The answer does not end, so a page that waits for its end shows nothing: follow it with `curl -N -H "Authorization: Bearer …"`, as docs/recipes.md does.' };
  }
  return {};
}

function securityOf(security: OperationContract['security']): readonly Json[] {
  if (security.kind === 'none') return [];
  if (security.kind === 'dpop') return [{ dpop: [] }];
  return [{ apiKey: security.scope === undefined ? [] : [security.scope] }];
}

function parametersOf(operation: OperationContract, schemas: JsonSchemas): Json[] {
  const places = [
    ['path', operation.params],
    ['query', operation.query],
    ['header', operation.headers],
  ] as const;
  const parameters: Json[] = places.flatMap(([place, schema]) =>
    Object.entries((schema?.shape ?? {}) as Readonly<Record<string, z.ZodType>>).map(([name, member]) => ({
      name: place === 'header' ? headerCase(name) : name,
      in: place,
      required: !member.safeParse(undefined).success,
      schema: schemas.of(member),
      ...(place === 'path' ? exampleOf(member) : {}),
    })),
  );
  if (operation.security.kind === 'dpop') {
    parameters.push({ name: 'DPoP', in: 'header', required: true, description: 'The proof (RFC 9449 §4)', schema: { type: 'string' } });
  }
  return parameters;
}

/** Only of what has to be there: a page fills examples in, and what may be left out should be. */
function exampleOf(schema: z.ZodType): Json {
  const [example] = (schema.meta()?.examples ?? []) as readonly unknown[];
  return example === undefined ? {} : { example };
}

function headerCase(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

function successes(operation: OperationContract, schemas: JsonSchemas): Json {
  return Object.fromEntries(
    Object.entries(operation.answers).map(([status, { description, schema, mediaType }]) => {
      const content = schema || mediaType ? { content: { [mediaType ?? 'application/json']: { schema: schema ? schemas.of(schema) : { type: 'string' } } } } : {};
      return [status, { description, ...headersOf(operation, Number(status)), ...content }];
    }),
  );
}

function refusals(operation: OperationContract): Json {
  return Object.fromEntries(
    [...refusalsByStatus(operation)].map(([status, codes]) => [
      status,
      { description: titlesOf(codes), ...headersOf(operation, status), content: { 'application/problem+json': { schema: problemWith(codes), examples: referencesTo(codes, status) } } },
    ]),
  );
}

function titlesOf(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('; ');
}

function problemWith(codes: readonly ErrorCode[]): JsonSchema {
  return { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] };
}

function exampleName(code: ErrorCode, status: number): string {
  return status === errorCodes[code].status ? code : `${code}-${status}`;
}

function referencesTo(codes: readonly ErrorCode[], status: number): Json {
  return Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${exampleName(code, status)}` }]));
}

/** A problem document of each code, with each status that it may come with, as the server renders it. */
function problemExamples(): Readonly<Record<string, Json>> {
  const all = (Object.keys(errorCodes) as ErrorCode[]).flatMap((code) => statusesOf(code).map((status) => [code, status] as const));
  return Object.fromEntries(all.map(([code, status]) => [exampleName(code, status), { summary: errorCodes[code].title, value: new Problem(code, { status }).toDocument() }]));
}

function headersOf(operation: OperationContract, status: number): Json {
  const names = [...(headersOfStatus[status] ?? []), ...(operation.security.kind === 'dpop' ? ['DPoP-Nonce'] : [])];
  if (names.length === 0) return {};
  return { headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

/**
 * The document for a page that tries its calls, served by the gateway. Its calls go to wherever the page came from, because
 * a browser refuses those to the gateway's public address from a page that was opened under another name of it; and it asks
 * for no credentials that no page can have.
 */
export function triableDocument(document: OpenApiDocument, gateway: string): OpenApiDocument {
  const { securitySchemes, ...components } = document.components;
  const { dpop: _, ...schemes } = securitySchemes!;
  const { pathname } = new URL(gateway);
  return {
    ...document,
    servers: [{ url: pathname, description: 'The gateway, where this page came from' }, ...document.servers],
    components: { ...components, securitySchemes: schemes },
  };
}
