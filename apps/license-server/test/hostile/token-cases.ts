import { type DeviceKey, generateApiKey, generateSigningKey, signEs256 } from '@latchkey/crypto';
import { CONTENT_KEY, KID, keyRing, OTHER_KID } from '../bench.js';
import { b64, type Json, type JwsChange, type RequestChange, type Scene } from './draft.js';
import { type Changes, type HostileCase, refusedFor, tokensRefusedFor } from './hostile-case.js';
import { malformedJws } from './jws-form.js';
import { derOf, malleate } from './p256.js';

const forger = generateSigningKey();
const forged = (): DeviceKey['privateKey'] => forger.privateKey;
const withMember = (name: string, value: unknown): JwsChange => ({ header: (header) => ({ ...header, [name]: value }) });
const withClaim = (name: string, value: unknown): JwsChange => ({ claims: (claims) => ({ ...claims, [name]: value }) });
const withClaims = (change: (claims: Json, scene: Scene) => Json): JwsChange => ({ claims: change });

/** Made with the public signing key as if it were a secret, which everybody knows. */
async function hmac({ signingKey }: Scene, input: string, hash: string): Promise<Buffer> {
  const { x, y } = signingKey.publicJwk;
  const key = await crypto.subtle.importKey('raw', Buffer.from(x + y, 'base64url'), { name: 'HMAC', hash }, false, ['sign']);
  return Buffer.from(await crypto.subtle.sign('HMAC', key, Buffer.from(input)));
}

/** A token in place of ours: whole, and nothing of ours in it. */
const instead = (make: (scene: Scene) => string): JwsChange => ({ compact: (_, scene) => make(scene) });

/** Forgeries: what our issuer never signed. */
export const tokenForgeryCases: readonly HostileCase[] = [
  ...tokensRefusedFor('token-not-jws', {
    ...malformedJws('typ', 'cookie'),
    'HS256 with the public key for a secret': { ...withMember('alg', 'HS256'), signature: (_, scene, input) => hmac(scene, input, 'SHA-256') },
    'alg none without a signature': { ...withMember('alg', 'none'), signature: () => new Uint8Array() },
    'no signature': { signature: () => new Uint8Array() },
    'a DER signature': { signature: derOf },
    'an API key for a token': instead(() => generateApiKey('live')),
    'a word for a token': instead(() => 'x'),
  }),
  ...tokensRefusedFor('token-too-large', { 'over 6 KiB': { claimsText: (text) => text.replace('{', `{${' '.repeat(6_000)}`) } }),
  ...tokensRefusedFor('header-members', {
    'an own jwk': { header: (header) => ({ ...header, jwk: { ...forger.publicJwk } }), signer: forged },
    'an own jwk, and its kid': { header: (header) => ({ ...header, kid: forger.keyId, jwk: { ...forger.publicJwk } }), signer: forged },
    'a jku': { ...withMember('jku', 'https://evil.example/keys'), signer: forged },
    'an x5u': { ...withMember('x5u', 'https://evil.example/x'), signer: forged },
    'an x5c': { ...withMember('x5c', ['AA==']), signer: forged },
    'a crit': withMember('crit', ['exp']),
    'b64 false': withMember('b64', false),
    'no kid': withMember('kid', undefined),
    'no typ': withMember('typ', undefined),
    'a proof for a token': instead(({ device }) => {
      const input = `${b64(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: { ...device.publicJwk } }))}.${b64('{}')}`;
      return `${input}.${b64(signEs256(device.privateKey, input))}`;
    }),
  }),
  ...tokensRefusedFor('alg', {
    'alg none over a good signature': withMember('alg', 'none'),
    'alg NONE': withMember('alg', 'NONE'),
    'HS512 with the public key for a secret': { ...withMember('alg', 'HS512'), signature: (_, scene, input) => hmac(scene, input, 'SHA-512') },
    'alg ES256K': withMember('alg', 'ES256K'),
    'alg in an array': withMember('alg', ['ES256']),
  }),
  ...tokensRefusedFor('typ', {
    'typ JWT': withMember('typ', 'JWT'),
    'typ at+jwt': withMember('typ', 'at+jwt'),
    'typ dpop+jwt': withMember('typ', 'dpop+jwt'),
    'typ in capitals': withMember('typ', 'Latchkey-Content+JWT'),
    'typ as a whole media type': withMember('typ', 'application/latchkey-content+jwt'),
  }),
  ...tokensRefusedFor('kid', {
    'a kid that is SQL': withMember('kid', "' or 1=1 --"),
    'a kid that is a path': withMember('kid', '../../../../dev/null'),
    'a kid that is a number': withMember('kid', 0),
    'a kid in an array': { header: (header) => ({ ...header, kid: [header['kid']] }) },
    'a padded kid': { header: (header) => ({ ...header, kid: `${header['kid'] as string}=` }) },
    'a kid cut short': { header: (header) => ({ ...header, kid: (header['kid'] as string).slice(0, -1) }) },
  }),
  ...tokensRefusedFor('key-unknown', {
    'signed with an own key, which it names': { ...withMember('kid', forger.keyId), signer: forged },
    'signed with the device key, which it names': { header: (header, { device }) => ({ ...header, kid: device.deviceId }), signer: ({ device }) => device.privateKey },
    'the kid of nobody': withMember('kid', b64(Buffer.alloc(32))),
  }),
  ...tokensRefusedFor('signature', {
    'signed with an own key, in the name of ours': { signer: forged },
    'a signature of zeros': [{ signature: () => new Uint8Array(64) }, { signature: malleate }],
    'an altered claim': { compact: (jws) => altered(jws, (claims) => claims.replace('"film"', '"fil2"')) },
    'a claim in another order': { compact: (jws) => altered(jws, (claims) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(claims) as Json).reverse()))) },
    'the typ of the other kind, altered': [
      { claims: asRegistration, compact: (jws) => retyped(jws) },
      { claims: asRegistration, header: (header) => ({ ...header, typ: 'latchkey-registration+jwt' }) },
    ],
  }),
];

function asRegistration(claims: Json): Json {
  const { content: _content, kids: _kids, keys: _keys, rights: _rights, ...envelope } = claims;
  return { ...envelope, account: 'a1', cookie_exp: claims['exp'] };
}

function altered(jws: string, change: (claims: string) => string): string {
  const [header, claims = '', signature] = jws.split('.');
  return [header, b64(change(Buffer.from(claims, 'base64url').toString())), signature].join('.');
}

function retyped(jws: string): string {
  const [header = '', ...rest] = jws.split('.');
  return [b64(Buffer.from(header, 'base64url').toString().replace('content', 'registration')), ...rest].join('.');
}

const claimsOfAnotherType = (name: string, ...values: readonly unknown[]): Changes<JwsChange> =>
  Object.fromEntries(values.map((value) => [`${name} ${JSON.stringify(value)?.slice(0, 40) ?? 'left out'}`, withClaim(name, value)]));
const rental = { type: 'rental', available_until: 4_000_000_000, play_duration: 60 };
const wrappedFor = (merchantId: string, kid: string): string => keyRing().wrapContentKey({ merchantId, kid, key: CONTENT_KEY });

/** Genuine tokens, signed by our issuer, that are malformed all the same or are not good here and now. */
export const tokenClaimCases: readonly HostileCase[] = [
  ...tokensRefusedFor('claim-members', {
    'no kids': withClaim('kids', undefined),
    'no exp': withClaim('exp', undefined),
    'no merchant': withClaim('merchant', undefined),
    'a claim that nobody knows': withClaim('max_height', 480),
    'content claims under typ registration': { header: (header) => ({ ...header, typ: 'latchkey-registration+jwt' }) },
    'registration claims under typ content': withClaims(asRegistration),
  }),
  ...tokensRefusedFor('claim-iss', claimsOfAnotherType('iss', '', 1, ['latchkey'])),
  ...tokensRefusedFor('claim-aud', claimsOfAnotherType('aud', '', null, ['https://play.example/v1/licenses'])),
  ...tokensRefusedFor('claim-iat', claimsOfAnotherType('iat', '1', 1.5, -1, true, null)),
  ...tokensRefusedFor('claim-exp', { ...claimsOfAnotherType('exp', '4000000000', 4e9 + 0.5, 253_402_300_800, null), 'exp before iat': withClaims((claims) => ({ ...claims, exp: claims['iat'] })) }),
  ...tokensRefusedFor('claim-jti', claimsOfAnotherType('jti', '', 1, 'a b', 'x'.repeat(129))),
  ...tokensRefusedFor('claim-merchant', claimsOfAnotherType('merchant', '', "m1'", { id: 'm1' })),
  ...tokensRefusedFor('claim-cookie', claimsOfAnotherType('cookie', '', 'c'.repeat(33), 'c c')),
  ...tokensRefusedFor('claim-kids', claimsOfAnotherType('kids', [], KID, [KID.toUpperCase()], [KID, KID], [1])),
  ...tokensRefusedFor('claim-keys', { ...claimsOfAnotherType('keys', [], ['x'], 'k1.AA'), 'more keys than kids': withClaims((claims) => ({ ...claims, keys: [wrappedFor('m1', KID), wrappedFor('m1', OTHER_KID)] })) }),
  ...tokensRefusedFor('claim-rights', {
    ...claimsOfAnotherType('rights', 'purchase', {}, { type: 'gift' }, { type: 'purchase', devices: 9 }),
    'a rental without its end': [withClaim('rights', { ...rental, available_until: undefined }), withClaim('rights', rental)],
    'a rental that plays for no time': [withClaim('rights', { ...rental, play_duration: 0 }), withClaim('rights', rental)],
    'a rental that plays for a fraction': [withClaim('rights', { ...rental, play_duration: 1.5 }), withClaim('rights', rental)],
  }),
  ...tokensRefusedFor('claim-cnf', {
    ...claimsOfAnotherType('cnf', {}, 'x', { jkt: 'x' }),
    'a cnf of two keys': withClaims((claims, { stranger }) => ({ ...claims, cnf: { ...(claims['cnf'] as Json), jwk: { ...stranger.publicJwk } } })),
    'a padded jkt': withClaims((claims, { device }) => ({ ...claims, cnf: { jkt: `${device.deviceId}=` } })),
  }),
  ...tokensRefusedFor('claim-binding', {
    'bound to a key and to an asserted device': withClaim('device', 'd1'),
    'bound to nobody': withClaim('cnf', undefined),
  }),
  ...tokensRefusedFor('expired', {
    'expired an hour ago': withClaims((claims, { nowSeconds }) => ({ ...claims, iat: nowSeconds - 7_200, exp: nowSeconds - 3_600 })),
    'expired this very second': [withClaims((claims, { nowSeconds }) => ({ ...claims, exp: nowSeconds })), withClaims((claims, { nowSeconds }) => ({ ...claims, exp: nowSeconds + 30 }))],
  }),
  ...tokensRefusedFor('iat-in-future', {
    'issued in two minutes': [withClaims((claims, { nowSeconds }) => ({ ...claims, iat: nowSeconds + 120 })), withClaims((claims, { nowSeconds }) => ({ ...claims, iat: nowSeconds + 50 }))],
  }),
  ...tokensRefusedFor('iss', { 'of another issuer': withClaim('iss', 'other'), 'of ours in capitals': withClaim('iss', 'Latchkey') }),
  ...tokensRefusedFor('aud', {
    'for another deployment': withClaim('aud', 'https://other.example/v1/licenses'),
    'for our URL with a slash': withClaims((claims) => ({ ...claims, aud: `${claims['aud'] as string}/` })),
  }),
  ...tokensRefusedFor('claim-account', { 'a registration of nobody': withClaim('account', '') }, 'registration'),
  ...tokensRefusedFor('claim-cookie_exp', { 'a registration whose cookie expires at no time': withClaim('cookie_exp', '4000000000') }, 'registration'),
  ...tokensRefusedFor('expired', { 'a registration token that is over': withClaims((claims, { nowSeconds }) => ({ ...claims, iat: nowSeconds - 700, exp: nowSeconds - 100 })) }, 'registration'),
  ...tokensRefusedFor('claim-members', { 'a registration token with kids': withClaim('kids', [KID]) }, 'registration'),
];

const ofToken = (token: JwsChange): RequestChange => ({ token });

/** Good tokens in the wrong hands, or for something else. */
export const bindingAndRightsCases: readonly HostileCase[] = [
  ...refusedFor(['binding', 'other-key', 'invalid-token'], {
    'bound to another key': ofToken(withClaims((claims, { stranger }) => ({ ...claims, cnf: { jkt: stranger.deviceId } }))),
    'bound to the signing key': ofToken(withClaims((claims, { signingKey }) => ({ ...claims, cnf: { jkt: signingKey.keyId } }))),
    'a copied token with a proof of the thief': { proof: { header: (header, { stranger }) => ({ ...header, jwk: { ...stranger.publicJwk } }), signer: ({ stranger }) => stranger.privateKey } },
  }),
  ...refusedFor(
    ['binding', 'other-key', 'invalid-token'],
    { 'a registration token narrowed to another key': [ofToken(withClaims((claims, { stranger }) => ({ ...claims, cnf: { jkt: stranger.deviceId } }))), ofToken(withClaims((claims, { device }) => ({ ...claims, cnf: { jkt: device.deviceId } })))] },
    'registration',
  ),
  ...refusedFor(['binding', 'no-confirmation', 'invalid-token'], {
    'bound to an asserted device': ofToken(withClaims((claims, { device }) => ({ ...claims, cnf: undefined, device: device.deviceId }))),
  }),
  ...refusedFor(['rights', 'rental-expired', 'rental-expired'], {
    'a rental that is over': [ofToken(withClaims((claims, { nowSeconds }) => ({ ...claims, rights: { ...rental, available_until: nowSeconds - 1 } }))), ofToken(withClaim('rights', rental))],
  }),
  ...refusedFor(['rights', 'rental-not-started', 'rental-not-started'], {
    'a purchase before its day': [
      ofToken(withClaims((claims, { nowSeconds }) => ({ ...claims, rights: { type: 'purchase', available_from: nowSeconds + 60 } }))),
      ofToken(withClaims((claims, { nowSeconds }) => ({ ...claims, rights: { type: 'purchase', available_from: nowSeconds - 1 } }))),
    ],
  }),
  ...refusedFor(['unavailable', 'kek-unknown', 'unavailable'], {
    'a content key of another kid in its place': ofToken(withClaim('keys', [wrappedFor('m1', OTHER_KID)])),
    'a content key of another merchant': ofToken(withClaim('keys', [wrappedFor('m2', KID)])),
  }),
];
