import { type OperationContract, type OperationInput, Problem, type ProblemDetailError } from '@latchkey/contracts';
import { applyDecorators, createParamDecorator, type ExecutionContext, Get, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

const OPERATION = Symbol('operation');
const methods = { GET: Get, POST: Post, PUT: Put };

/** Makes a controller method the one implementation of an operation: its route, its status of success, its contract. */
export function Operation(operation: OperationContract): MethodDecorator {
  const [success] = Object.keys(operation.answers);
  return applyDecorators(
    methods[operation.method](operation.path.replace(/\{([^}]+)\}/g, ':$1')),
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
  return readInput(operation, context.switchToHttp().getRequest<FastifyRequest>());
});

/**
 * Reads the parts of a request by the operation's schemas. Throws `invalid-request` with every broken rule, or
 * `unknown-member` where members that nobody knows are the only fault.
 */
export function readInput<Contract extends OperationContract>(
  operation: Contract,
  request: Pick<FastifyRequest, 'params' | 'query' | 'headers' | 'body'>,
): OperationInput<Contract> {
  const issues: { path: string; message: string; unknown: boolean }[] = [];
  const part = (name: 'params' | 'query' | 'headers' | 'body', value: unknown): unknown => {
    const schema = operation[name];
    if (!schema) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    issues.push(...parsed.error.issues.flatMap((issue) => describeIssue(name, issue)));
    return undefined;
  };
  const bodyLeftOut = operation.bodyOptional === true && request.body === undefined;
  const input = {
    params: part('params', request.params),
    query: part('query', request.query),
    headers: part('headers', request.headers),
    body: part('body', bodyLeftOut ? {} : request.body),
  };
  if (issues.length > 0) {
    const code = issues.every((issue) => issue.unknown) ? 'unknown-member' : 'invalid-request';
    throw new Problem(code, { errors: issues.map(({ path, message }): ProblemDetailError => ({ path, message })) });
  }
  return input as OperationInput<Contract>;
}

function describeIssue(part: string, issue: z.core.$ZodIssue): { path: string; message: string; unknown: boolean }[] {
  const base = part === 'body' ? '' : `/${part}`;
  const pointer = (path: readonly PropertyKey[]): string =>
    base + path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pointer([...issue.path, key]), message: 'is not known', unknown: true }));
  }
  return [{ path: pointer(issue.path), message: issue.message, unknown: false }];
}
