import type { Scope } from '@latchkey/contracts';
import { apiKeyMatches, hashApiKeySecret } from '@latchkey/crypto';
import type { StoredApiKey } from './api-key-store.js';

/** Who calls: the merchant whose key it is, and what that key may do. */
export interface Caller {
  readonly merchantId: string;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

const BEARER = /^Bearer +(\S+)$/i;

/**
 * The credentials of the one `Authorization` header (RFC 6750 §2.1), or undefined where there is none, one of another
 * scheme, or more than one: a proxy may have judged the call by the one that we would not have taken.
 */
export function readBearer(headers: readonly string[] | undefined): string | undefined {
  return headers?.length === 1 ? BEARER.exec(headers[0]!)?.[1] : undefined;
}

/** What an unknown key id is compared with, so that the time of a refusal does not tell which ids exist. */
const hashOfNobody = hashApiKeySecret('nobody');

/** The caller, if the presented key is the stored one and the stored one is live. */
export function authenticate(presented: string, stored: StoredApiKey | undefined): Caller | undefined {
  const matches = apiKeyMatches(presented, stored?.hash ?? hashOfNobody);
  if (!stored || !matches || !stored.live) return undefined;
  return { merchantId: stored.merchantId, keyId: stored.keyId, scopes: stored.scopes };
}

/** Whether a caller may do what needs this scope. No scope implies another, not even `admin`: a key says all that it may do. */
export function isAllowed(caller: Caller, scope: Scope | undefined): boolean {
  return scope === undefined || caller.scopes.includes(scope);
}
