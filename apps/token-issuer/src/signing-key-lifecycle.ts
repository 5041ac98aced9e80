import type { RequestOutput, requests } from '@latchkey/contracts';
import type { EcPublicJwk } from '@latchkey/crypto';
import { TOKEN_TTL_SECONDS_MAX } from './config.js';

/** A replica may go on signing with a key for a moment after another has retired it. */
const RETIRED_MARGIN_SECONDS = 3_600;

/** A signing key as it is kept: announced until the licence servers hold it, active while it signs, then retired. */
export interface StoredSigningKey {
  readonly keyId: string;
  readonly publicJwk: EcPublicJwk;
  readonly wrappedKey: string;
  readonly state: 'announced' | 'active' | 'retired';
  readonly activatedAt?: Date;
  readonly retiredAt?: Date;
}

/** What is to be done about the signing keys. */
export type KeyWork =
  | { readonly kind: 'announce' }
  | { readonly kind: 'activate-when-held'; readonly keyId: string }
  | { readonly kind: 'nothing' };

/** Makes a key where there is none or the active one is old; a key signs only after the licence servers hold it. */
export function decideKeyWork(keys: readonly StoredSigningKey[], now: Date, ageSecondsMax: number): KeyWork {
  const announced = keys.find((key) => key.state === 'announced');
  if (announced) return { kind: 'activate-when-held', keyId: announced.keyId };
  const active = keys.find((key) => key.state === 'active');
  const old = active?.activatedAt !== undefined && now.getTime() - active.activatedAt.getTime() >= ageSecondsMax * 1000;
  return !active || old ? { kind: 'announce' } : { kind: 'nothing' };
}

/** Until when a key that retires must be trusted: the longest token that it can have signed lives so long. */
export function trustedUntil(retiredAt: Date): Date {
  return new Date(retiredAt.getTime() + (TOKEN_TTL_SECONDS_MAX + RETIRED_MARGIN_SECONDS) * 1000);
}

/** The public key set (RFC 7517). A retired key stays in it so long that no token outlives the key that verifies it. */
export function publishedKeys(keys: readonly StoredSigningKey[], now: Date): RequestOutput<typeof requests.getJwks> {
  const published = keys.filter((key) => key.retiredAt === undefined || now < trustedUntil(key.retiredAt));
  return {
    keys: published.map(({ keyId, publicJwk: { kty, crv, x, y } }) => ({ kty, crv, x, y, kid: keyId, alg: 'ES256' as const, use: 'sig' as const })),
  };
}
