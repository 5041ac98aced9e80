import { parseApiKey, parseAuthenticator } from '@latchkey/crypto';
import type { PresentedKey } from '../api-keys/api-key-gate.js';

/** Where a call may say who it is. */
export interface CredentialPlaces {
  /** The `Authorization` headers; more than one, or one of another scheme, cannot be read. */
  readonly bearer: 'none' | 'unreadable' | { readonly key: string };
  readonly query: readonly string[];
  readonly form: readonly string[];
}

/** The one key that a call presents, or why there is none. */
export type PresentedCredentials = { readonly kind: 'missing' | 'malformed' | 'differ' } | { readonly kind: 'key'; readonly presented: PresentedKey };

/**
 * Reads who a call says that it is. Two that differ are refused and neither is preferred: a proxy, or a log, may have
 * judged the call by the one that we would not have taken.
 */
export function presentedCredentials({ bearer, query, form }: CredentialPlaces): PresentedCredentials {
  const said = new Set([...query, ...form].filter((authenticator) => authenticator !== ''));
  if (said.size > 1 || query.length > 1 || form.length > 1) return { kind: 'differ' };
  const [text] = said;
  if (text === undefined) {
    if (bearer === 'none') return { kind: 'missing' };
    if (bearer === 'unreadable') return { kind: 'malformed' };
    const { key } = bearer;
    return { kind: 'key', presented: { keyId: parseApiKey(key)?.keyId, fullKey: () => key } };
  }
  const authenticator = parseAuthenticator(text);
  if (bearer !== 'none' && (bearer === 'unreadable' || !authenticator || !isSpelling(bearer.key, authenticator))) return { kind: 'differ' };
  if (!authenticator) return { kind: 'malformed' };
  return { kind: 'key', presented: { keyId: authenticator.keyId, fullKey: (env) => `lk_${env}_${authenticator.keyId}_${authenticator.secret}` } };
}

/** Whether both are one key. The caller sent both, so that there is nothing to find out by how long it takes. */
function isSpelling(fullKey: string, { keyId, secret }: { readonly keyId: string; readonly secret: string }): boolean {
  const parsed = parseApiKey(fullKey);
  return parsed !== undefined && `${parsed.keyId}_${parsed.secret}` === `${keyId}_${secret}`;
}
