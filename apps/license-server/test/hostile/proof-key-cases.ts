import { type HostileCase, proofsRefusedFor } from './hostile-case.js';
import { b64, type Json, type JwsChange, type Scene } from './draft.js';
import { nonCanonical } from './jws-form.js';
import { bytes32, numberOf, P256_PRIME } from './p256.js';

type Coordinate = 'x' | 'y';

const withJwk = (change: (jwk: Json, scene: Scene) => unknown): JwsChange => ({
  header: (header, scene) => ({ ...header, jwk: change(header['jwk'] as Json, scene) }),
});
const withMember = (name: string, value: unknown): JwsChange => withJwk((jwk) => ({ ...jwk, [name]: value }));
const withCoordinate = (name: Coordinate, change: (bytes: Buffer) => Uint8Array): JwsChange =>
  withJwk((jwk) => ({ ...jwk, [name]: b64(change(Buffer.from(jwk[name] as string, 'base64url'))) }));
const withSpelling = (name: Coordinate, change: (text: string) => string): JwsChange => withJwk((jwk) => ({ ...jwk, [name]: change(jwk[name] as string) }));

/** The key that a proof brings along: in any form but the one, a key would have several ids. */
export const proofKeyCases: readonly HostileCase[] = proofsRefusedFor('jwk-form', {
  'a private jwk': withJwk((_, { device }) => device.privateKey.export({ format: 'jwk' })),
  'a jwk with an empty d': withMember('d', ''),
  'a jwk with kid': withMember('kid', 'k'),
  'a jwk with use': withMember('use', 'sig'),
  'a jwk with alg': withMember('alg', 'ES256'),
  'a jwk with ext, as WebCrypto exports it': withMember('ext', true),
  'a jwk with key_ops': withMember('key_ops', ['verify']),
  'a jwk with a certificate': withMember('x5c', ['AA==']),
  'a jwk without y': withMember('y', undefined),
  'a jwk without crv': withMember('crv', undefined),
  'a jwk that is null': withJwk(() => null),
  'a jwk that is text': withJwk((jwk) => JSON.stringify(jwk)),
  'a jwk in an array': withJwk((jwk) => [jwk]),
  'a jwk in a set': withJwk((jwk) => ({ keys: [jwk] })),
  'kty in lower case': withMember('kty', 'ec'),
  'kty OKP': withMember('kty', 'OKP'),
  'kty oct': withJwk(() => ({ kty: 'oct', k: b64(Buffer.alloc(32)) })),
  'kty RSA': withJwk(() => ({ kty: 'RSA', n: b64(Buffer.alloc(256, 1)), e: 'AQAB' })),
  'crv P-384': withMember('crv', 'P-384'),
  'crv P-521': withMember('crv', 'P-521'),
  'crv secp256k1': withMember('crv', 'secp256k1'),
  'crv by another name': withMember('crv', 'prime256v1'),
  'x padded': withSpelling('x', (x) => `${x}=`),
  'y with bits left over': withSpelling('y', nonCanonical),
  'x as a number': withMember('x', 1),
  'y in an array': withJwk((jwk) => ({ ...jwk, y: [jwk['y']] })),
  'x with a leading zero byte': withCoordinate('x', (bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
  'y with a leading zero byte': withCoordinate('y', (bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
  'x of 31 bytes': withCoordinate('x', (bytes) => bytes.subarray(1)),
  'y of 31 bytes': withCoordinate('y', (bytes) => bytes.subarray(0, 31)),
  'x compressed, with the sign of y': withCoordinate('x', (bytes) => Buffer.concat([Buffer.from([2]), bytes])),
  'x empty': withSpelling('x', () => ''),
  'a point beside the curve': withCoordinate('y', (bytes) => bytes32((numberOf(bytes) + 1n) % P256_PRIME)),
  'x and y exchanged': withJwk((jwk) => ({ ...jwk, x: jwk['y'], y: jwk['x'] })),
  'the point of zeros': withJwk((jwk) => ({ ...jwk, x: b64(Buffer.alloc(32)), y: b64(Buffer.alloc(32)) })),
  'the point at infinity, as one zero byte': withJwk((jwk) => ({ ...jwk, x: 'AA', y: 'AA' })),
  'x equal to the field': withCoordinate('x', () => bytes32(P256_PRIME)),
  'x beyond the field': withCoordinate('x', () => Buffer.alloc(32, 0xff)),
});
