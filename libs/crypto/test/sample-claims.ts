import { KeyRing } from '../src/key-ring.js';
import { thumbprint } from '../src/ec-public-jwk.js';
import type { ContentClaims, RegistrationClaims } from '../src/token-claims.js';
import { RFC9449_JWK } from './published-vectors.js';

export const NOW = 1_800_000_000;
export const JKT = thumbprint(RFC9449_JWK);
export const KID_1 = '00112233445566778899aabbccddeeff';
export const KID_2 = '00112233445566778899aabbccddee00';

/** A wrapped content key, under a KEK id of the wanted length. */
export function wrappedKey(kid: string, kekId = 'k1'): string {
  const ring = new KeyRing([{ id: kekId, key: Buffer.alloc(32, 1) }]);
  return ring.wrapContentKey({ merchantId: 'm1', kid, key: Buffer.alloc(16, 2) });
}

const ENVELOPE = {
  iss: 'https://latchkey.example.com',
  aud: 'https://play.example.com/v1/licenses',
  iat: NOW,
  exp: NOW + 600,
  jti: 'tok_1',
  merchant: 'm1',
  cookie: 'c-1_',
};

export const REGISTRATION: RegistrationClaims = { ...ENVELOPE, account: 'a1', cookie_exp: NOW + 3_600 };

export const CONTENT: ContentClaims = {
  ...ENVELOPE,
  account: 'a1',
  purchase: 'p1',
  content: 'film:1',
  kids: [KID_1, KID_2],
  keys: [wrappedKey(KID_1), wrappedKey(KID_2)],
  rights: { type: 'purchase' },
  cnf: { jkt: JKT },
};

/** The claims without one of them. */
export function omit<Claims extends object>(claims: Claims, name: keyof Claims): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
}

/** As many different kids as wanted. */
export function manyKids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => index.toString(16).padStart(32, '0'));
}
