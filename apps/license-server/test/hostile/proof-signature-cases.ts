import { b64, type Json, type JwsChange, type Scene } from './draft.js';
import { type HostileCase, proofsRefusedFor } from './hostile-case.js';
import { bytes32, derOf, malleate, numberOf, P256_ORDER, P256_PRIME } from './p256.js';

const withAlg = (alg: string): JwsChange => ({ header: (header) => ({ ...header, alg }) });
const scalars = (signature: Uint8Array): [r: Buffer, s: Buffer] => [Buffer.from(signature.subarray(0, 32)), Buffer.from(signature.subarray(32))];
const signedAs = (change: (r: Buffer, s: Buffer) => readonly Uint8Array[]): JwsChange => ({ signature: (signature) => Buffer.concat(change(...scalars(signature))) });

/** Made with the public key as if it were a secret, which everybody knows. */
async function hmacOf({ device }: Scene, text: string, hash: string): Promise<Buffer> {
  const { x, y } = device.publicJwk;
  const secret = Buffer.from(x + y, 'base64url');
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, ['sign']);
  return Buffer.from(await crypto.subtle.sign('HMAC', key, Buffer.from(text)));
}

type SignParameters = Parameters<typeof crypto.subtle.sign>;
interface KeyPair {
  readonly publicKey: SignParameters[1];
  readonly privateKey: SignParameters[1];
}

const ed25519 = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as KeyPair;
const p384 = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
const rsa = await crypto.subtle.generateKey(
  { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' },
  true,
  ['sign', 'verify'],
);
/** A proof that is right in everything, of a key that is not of our kind. */
async function ofKey(pair: KeyPair, alg: string, parameters: SignParameters[0]): Promise<JwsChange> {
  const exported = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as Json;
  const members = ['kty', 'crv', 'x', 'y', 'n', 'e'].filter((name) => exported[name] !== undefined);
  const jwk = Object.fromEntries(members.map((name) => [name, exported[name]]));
  return {
    header: (header) => ({ ...header, alg, jwk }),
    signature: async (_, _scene, input) => new Uint8Array(await crypto.subtle.sign(parameters, pair.privateKey, Buffer.from(input))),
  };
}

/** Algorithms that are not ours, and signatures that nobody made with the device's key. High and low s are both right. */
export const proofSignatureCases: readonly HostileCase[] = [
  ...proofsRefusedFor('alg', {
    'alg none over a good signature': withAlg('none'),
    'alg es256': withAlg('es256'),
    'alg ES384': withAlg('ES384'),
    'alg ES256K': withAlg('ES256K'),
    'alg in an array': { header: (header) => ({ ...header, alg: ['ES256'] }) },
    'alg null': { header: (header) => ({ ...header, alg: null }) },
    'HS512 with the public key for a secret': { ...withAlg('HS512'), signature: (_, scene, input) => hmacOf(scene, input, 'SHA-512') },
    'EdDSA, signed right': await ofKey(ed25519, 'EdDSA', 'Ed25519'),
  }),
  ...proofsRefusedFor('signature', {
    'alg none without a signature': { ...withAlg('none'), signature: () => new Uint8Array() },
    'HS256 with the public key for a secret': { ...withAlg('HS256'), signature: (_, scene, input) => hmacOf(scene, input, 'SHA-256') },
    'RS256, signed right': await ofKey(rsa, 'RS256', 'RSASSA-PKCS1-v1_5'),
    'ES384 of P-384, signed right': await ofKey(p384, 'ES384', { name: 'ECDSA', hash: 'SHA-384' }),
    'no signature': { signature: () => new Uint8Array() },
    'r of zero': [signedAs((_, s) => [Buffer.alloc(32), s]), { signature: malleate }],
    's of zero': signedAs((r) => [r, Buffer.alloc(32)]),
    'r and s of zero': signedAs(() => [Buffer.alloc(64)]),
    'r and s of one': signedAs(() => [bytes32(1n), bytes32(1n)]),
    'r of the order': signedAs((_, s) => [bytes32(P256_ORDER), s]),
    's of the order': signedAs((r) => [r, bytes32(P256_ORDER)]),
    'everything set': signedAs(() => [Buffer.alloc(64, 0xff)]),
    'r negated': signedAs((r, s) => [bytes32(P256_ORDER - numberOf(r)), s]),
    'r and s exchanged': signedAs((r, s) => [s, r]),
    'a bit flipped in r': signedAs((r, s) => [r.map((byte, at) => (at === 31 ? byte ^ 1 : byte)), s]),
    'a bit flipped in s': signedAs((r, s) => [r, s.map((byte, at) => (at === 0 ? byte ^ 1 : byte))]),
    'DER': { signature: derOf },
    'DER cut to 64 bytes': { signature: (signature) => derOf(signature).subarray(0, 64) },
    '63 bytes': { signature: (signature) => signature.subarray(0, 63) },
    '65 bytes': { signature: (signature) => Buffer.concat([signature, Buffer.alloc(1)]) },
    'r and s with leading zeros': signedAs((r, s) => [Buffer.alloc(1), r, Buffer.alloc(1), s]),
    'the signature twice': { signature: (signature) => Buffer.concat([signature, signature]) },
    'the key of somebody else': { header: (header, { stranger }) => ({ ...header, jwk: { ...stranger.publicJwk } }) },
    'signed by somebody else': { signer: ({ stranger }) => stranger.privateKey },
    'the point negated': { header: (header) => negated(header) },
    'over other claims': { compact: (jws) => otherClaims(jws) },
    'over another spelling of the same claims': [
      { compact: (jws) => otherClaims(jws, (text) => `${text} `) },
      { claimsText: (text) => `${text} ` },
    ],
  }),
];

function negated(header: Json): Json {
  const jwk = header['jwk'] as Json;
  const y = P256_PRIME - numberOf(Buffer.from(jwk['y'] as string, 'base64url'));
  return { ...header, jwk: { ...jwk, y: b64(bytes32(y)) } };
}

function otherClaims(jws: string, change = (text: string): string => text.replace('{', '{"x":1,')): string {
  const [header, claims = '', signature] = jws.split('.');
  return [header, b64(change(Buffer.from(claims, 'base64url').toString())), signature].join('.');
}
