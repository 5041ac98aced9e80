import type { License } from '@latchkey/contracts';
import { CONTENT_KEY_BYTES, type ContentClaims, encodeBase64url, type KeyRing } from '@latchkey/crypto';

/** A content key that a licence hands out. */
export interface LicenseKey {
  /** 32 lower-case hex. */
  readonly kid: string;
  readonly key: Uint8Array;
}

/**
 * Takes the content keys of these kids, which are all in the token, out of it, in the order asked. `undefined` where one
 * cannot be unwrapped: its KEK is not configured here.
 */
export function openKeys(ring: KeyRing, claims: ContentClaims, kids: readonly string[]): readonly LicenseKey[] | undefined {
  const keys: LicenseKey[] = [];
  for (const kid of kids) {
    const wrapped = claims.keys[claims.kids.indexOf(kid)];
    const key = wrapped === undefined ? undefined : ring.unwrapContentKey({ merchantId: claims.merchant, kid, wrapped });
    if (!key) return undefined;
    keys.push({ kid, key });
  }
  return keys;
}

/** Keys that open nothing, for the throw-away licence of a registration; for a kid made up where none is asked for. */
export function makeUpKeys(kids: readonly string[]): readonly LicenseKey[] {
  const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(CONTENT_KEY_BYTES));
  const named = kids.length > 0 ? kids : [Buffer.from(random()).toString('hex')];
  return named.map((kid) => ({ kid, key: random() }));
}

/** A Clear Key licence (W3C EME §9.1.4). */
export function licenseOf(keys: readonly LicenseKey[]): License {
  return {
    keys: keys.map(({ kid, key }) => ({ kty: 'oct', kid: encodeBase64url(Buffer.from(kid, 'hex')), k: encodeBase64url(key) })),
    type: 'temporary',
  };
}
