import { type OperationContract, type OperationInput, operations, Problem, type ProblemDetailError } from '@latchkey/contracts';
import { applyDecorators, createParamDecorator, Delete, type ExecutionContext, Get, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { jsonPointer } from './json-pointer.js';

const OPERATION = Symbol('operation');
const methods = { GET: Get, POST: Post, PUT: Put, DELETE: Delete };

const routeOf = (operation: OperationContract): string => operation.path.replace(/\{([^}]+)\}/g, ':$1');
const byRoute = new Map<string, OperationContract>(operations.operations.map((operation) => [`${operation.method} ${routeOf(operation)}`, operation]));

/**
 * The operation of the public surface whose route a request matched, for what has to be known before its body is read.
 * A HEAD is the GET whose body nobody wants.
 */
export function operationAt(method: string, route: string | undefined): OperationContract | undefined {
  return byRoute.get(`${method === 'HEAD' ? 'GET' : method} ${route}`);
}

/** Makes a controller method the one implementation of an operation: its route, its status of success, its contract. */
export function Operation(operation: OperationContract): MethodDecorator {
  const [success] = Object.keys(operation.answers);
  return applyDecorators(
    methods[operation.method](routeOf(operation)),
    HttpCode(Number(success)),
    SetMetadata(OPERATION, operation),
  );
}

/** The operation that a request reached, or undefined for what is not of the public surface. */
export function operationOf(context: ExecutionContext): OperationContract | undefined {
  return Reflect.getMetadata(OPERATION, context.getHandler()) as OperationContract | undefined;
}

/** The validated input of the operation: `@Input() input: OperationInput<typeof operations.createCookie>`. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const operation = operationOf(context);
  if (!operation) throw new Error('@Input() stands on a method without @Operation()');
  const { params, query, body, raw } = context.switchToHttp().getRequest<FastifyRequest>();
  return readInput(operation, { params, query, headers: raw.headersDistinct, body });
});

/** The parts of a request. A query parameter or a header that stands there several times is a list. */
export type RequestParts = Pick<FastifyRequest, 'params' | 'query' | 'body'> & { readonly headers: object };

/**
 * Reads the parts of a request by the operation's schemas. Throws `invalid-request` with every broken rule, or
 * `unknown-member` where members that nobody knows are the only fault.
 *
 * A query parameter or a header that says the same several times says it once. Where it says different things it is
 * refused: whichever of them we took, something between us and the caller may have taken the other.
 */
export function readInput<Contract extends OperationContract>(
  operation: Contract,
  request: RequestParts,
): OperationInput<Contract> {
  const issues: { path: string; message: string; unknown: boolean }[] = [];
  const part = (name: 'params' | 'query' | 'headers' | 'body', value: unknown): unknown => {
    const schema = operation[name];
    if (!schema) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    issues.push(...parsed.error.issues.flatMap((issue) => describeIssue(name, issue, value)));
    return undefined;
  };
  const bodyLeftOut = operation.bodyOptional === true && request.body === undefined;
  const input = {
    params: part('params', request.params),
    query: part('query', saidOnce(request.query as object)),
    headers: part('headers', saidOnce(request.headers)),
    body: part('body', bodyLeftOut ? {} : request.body),
  };
  if (operation.body) {
    const known = new Set(issues.map(({ path }) => path));
    issues.push(...prototypeMembers(request.body).filter((path) => !known.has(path)).map((path) => ({ path, ...unknownMember })));
  }
  if (issues.length > 0) {
    const code = issues.every((issue) => issue.unknown) ? 'unknown-member' : 'invalid-request';
    throw new Problem(code, { errors: issues.map(({ path, message }): ProblemDetailError => ({ path, message })) });
  }
  return input as OperationInput<Contract>;
}

const unknownMember = { message: 'is not known', unknown: true } as const;

/** Where a body says `__proto__`: no schema knows such a member, and those of maps would pass it over in silence. */
function prototypeMembers(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.hasOwn(value, '__proto__') ? [jsonPointer([...path, '__proto__'])] : [];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => prototypeMembers(member, [...path, name]))];
}

/** With one value in place of a list whose values are all the same. */
function saidOnce(parameters: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]: [string, unknown]) => [name, Array.isArray(value) && new Set(value).size === 1 ? (value[0] as unknown) : value]),
  );
}

function describeIssue(part: string, issue: z.core.$ZodIssue, input: unknown): { path: string; message: string; unknown: boolean }[] {
  const base = part === 'body' ? '' : `/${part}`;
  const pointer = (path: readonly PropertyKey[]): string => base + jsonPointer(path);
  const [name] = issue.path;
  if ((part === 'query' || part === 'headers') && name !== undefined && Array.isArray((input as Record<PropertyKey, unknown>)[name])) {
    return [{ path: pointer([name]), message: 'stands several times with values that differ', unknown: false }];
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pointer([...issue.path, key]), ...unknownMember }));
  }
  return [{ path: pointer(issue.path), message: issue.message, unknown: false }];
}
