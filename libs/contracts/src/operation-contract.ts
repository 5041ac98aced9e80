import { z } from 'zod';
import type { ErrorCode } from './error-codes.js';

/** What an API key may be allowed to do. */
export const scopes = ['cookies', 'devices', 'purchases', 'tokens', 'keys', 'licenses:verify', 'admin'] as const;
/** What an API key may be allowed to do. */
export type Scope = (typeof scopes)[number];

/** How a call says who it is: a merchant's API key, a device's DPoP proof, or nobody asks. */
export type OperationSecurity = { readonly kind: 'api-key'; readonly scope?: Scope } | { readonly kind: 'dpop' } | { readonly kind: 'none' };

/** One refusal: a code of the table, with its second status where this call answers with that. */
export type Refusal = ErrorCode | { readonly code: ErrorCode; readonly status: number };

/**
 * One HTTP call. The route, the guard, the validation, the status of success and the OpenAPI document all come from
 * here, so that none of them can say something that the others do not.
 */
export interface OperationContract {
  readonly id: string;
  readonly server: 'gateway' | 'license-server' | 'both';
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The path with parameters as `{name}`, as OpenAPI writes it. */
  readonly path: string;
  readonly summary: string;
  readonly security: OperationSecurity;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Whether the call may come without a body at all. */
  readonly bodyOptional?: boolean;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly mediaType?: string }>>;
  readonly refusals: readonly Refusal[];
}

const noQuery = z.strictObject({});

/**
 * Declares an HTTP call, keeping the exact types of its schemas. A merchant's call that declares no query takes none: a
 * parameter that is misspelt, or meant for another version, would otherwise be passed over in silence.
 */
export function defineOperation<const Operation extends OperationContract>(operation: Operation): Operation {
  return operation.security.kind === 'api-key' ? { query: noQuery, ...operation } : operation;
}

type SchemaOf<Operation, Part extends string> = Operation extends { readonly [Key in Part]: infer Schema extends z.ZodType }
  ? z.infer<Schema>
  : undefined;

/** The validated parts of a call, as its controller receives them. */
export interface OperationInput<Operation extends OperationContract> {
  readonly params: SchemaOf<Operation, 'params'>;
  readonly query: SchemaOf<Operation, 'query'>;
  readonly headers: SchemaOf<Operation, 'headers'>;
  readonly body: SchemaOf<Operation, 'body'>;
}
