import type { Json, JwsChange } from './draft.js';
import { type Changes, type HostileCase, proofsRefusedFor } from './hostile-case.js';

const withClaim = (name: string, value: unknown): JwsChange => ({ claims: (claims) => ({ ...claims, [name]: value }) });
const withText = (name: string, text: (right: string) => string): JwsChange => ({
  claims: (claims) => ({ ...claims, [name]: text(claims[name] as string) }),
});
/** As JSON text, for numbers that `JSON.stringify` does not write. */
const withNumber = (name: string, text: (right: number) => string): JwsChange => ({
  claims: (claims) => ({ ...claims, [name]: claims[name] ?? claims['iat'] }),
  claimsText: (json) => json.replace(new RegExp(`"${name}":(\\d+)`), (_, digits: string) => `"${name}":${text(Number(digits))}`),
});
const at = (name: string, offset: number): JwsChange => ({
  claims: (claims: Json) => ({ ...claims, [name]: (claims['iat'] as number) + offset }),
});

const wrongUrls: Changes<JwsChange> = {
  'the URL of the other route': withText('htu', (url) => (url.endsWith('/licenses') ? url.replace('licenses', 'device/tokens') : url.replace('device/tokens', 'licenses'))),
  'no htu': withClaim('htu', undefined),
  'an empty htu': withClaim('htu', ''),
  'an htu in an array': { claims: (claims) => ({ ...claims, htu: [claims['htu']] }) },
  'the scheme in capitals': withText('htu', (url) => url.replace('https', 'HTTPS')),
  'http in place of https': withText('htu', (url) => url.replace('https', 'http')),
  'the host in capitals': withText('htu', (url) => url.replace('play', 'PLAY')),
  'the path in capitals': withText('htu', (url) => url.replace('v1', 'V1')),
  'the default port': withText('htu', (url) => url.replace('.example', '.example:443')),
  'another port': withText('htu', (url) => url.replace('.example', '.example:8443')),
  'an empty port': withText('htu', (url) => url.replace('.example', '.example:')),
  'a slash at the end': withText('htu', (url) => `${url}/`),
  'an empty query': withText('htu', (url) => `${url}?`),
  'a query': withText('htu', (url) => `${url}?a=1`),
  'an empty fragment': withText('htu', (url) => `${url}#`),
  'a fragment': withText('htu', (url) => `${url}#a`),
  'user information': withText('htu', (url) => url.replace('//', '//user@')),
  'empty user information': withText('htu', (url) => url.replace('//', '//@')),
  'the right host as user information': withText('htu', (url) => url.replace('/v1', '@evil.example/v1')),
  'a percent-encoded letter': withText('htu', (url) => url.replace('v1', '%761')),
  'a percent-encoded slash': withText('htu', (url) => url.replace('v1/', 'v1%2f')),
  'a dot segment': withText('htu', (url) => url.replace('/v1', '/./v1')),
  'two dots': withText('htu', (url) => url.replace('/v1', '/x/../v1')),
  'two slashes': withText('htu', (url) => url.replace('/v1', '//v1')),
  'backslashes': withText('htu', (url) => url.replaceAll('/', '\\')),
  'a dot at the end of the host': withText('htu', (url) => url.replace('.example', '.example.')),
  'a subdomain': withText('htu', (url) => url.replace('play', 'x.play')),
  'a host that only begins alike': withText('htu', (url) => url.replace('.example', '.example.evil')),
  'a homograph': withText('htu', (url) => url.replace('a', '\u0430')),
  'the homograph in punycode': withText('htu', (url) => url.replace('play', 'xn--ply-6cd')),
  'full-width letters': withText('htu', (url) => url.replace('play', '\uff50\uff4c\uff41\uff59')),
  'a soft hyphen': withText('htu', (url) => url.replace('play', 'pl\u00aday')),
  'a space in front': withText('htu', (url) => ` ${url}`),
  'a line feed at the end': withText('htu', (url) => `${url}\n`),
  'a tab inside': withText('htu', (url) => url.replace('v1', 'v\t1')),
  'the path alone': withText('htu', (url) => new URL(url).pathname),
  'no scheme': withText('htu', (url) => url.replace('https:', '')),
};

/** What a proof says of its request. Each is signed by the device, so that nothing but the claim is wrong. */
export const proofClaimCases: readonly HostileCase[] = [
  ...proofsRefusedFor('htu', wrongUrls),
  ...proofsRefusedFor('htm', {
    'no htm': withClaim('htm', undefined),
    'htm in lower case': withText('htm', (method) => method.toLowerCase()),
    'htm of another method': withText('htm', (method) => (method === 'GET' ? 'POST' : 'GET')),
    'htm with a space': withText('htm', (method) => `${method} `),
    'htm in an array': { claims: (claims) => ({ ...claims, htm: [claims['htm']] }) },
    'htm null': withClaim('htm', null),
  }),
  ...proofsRefusedFor('iat-form', {
    'no iat': withClaim('iat', undefined),
    'iat null': withClaim('iat', null),
    'iat a string': { claims: (claims) => ({ ...claims, iat: String(claims['iat']) }) },
    'iat true': withClaim('iat', true),
    'iat in an array': { claims: (claims) => ({ ...claims, iat: [claims['iat']] }) },
    'iat with a fraction': [withNumber('iat', (iat) => `${iat - 1}.5`), withNumber('iat', (iat) => `${iat - 1}.0`)],
    'iat beyond every number': [withNumber('iat', () => '1e400'), withNumber('iat', (iat) => `${iat / 10}e1`)],
    'iat beyond the safe integers': withNumber('iat', () => '9007199254740993'),
  }),
  ...proofsRefusedFor('iat-window', {
    'iat too old': [at('iat', -90), at('iat', -50)],
    'iat too far ahead': [at('iat', 90), at('iat', 50)],
    'iat in milliseconds': withNumber('iat', (iat) => `${iat}000`),
    'iat zero': withClaim('iat', 0),
    'iat negative': withNumber('iat', (iat) => `-${iat}`),
  }),
  ...proofsRefusedFor('exp', {
    'exp over': [at('exp', -1), at('exp', 30)],
    'exp at this very second': [at('exp', 0), at('exp', 30)],
    'exp null': [withClaim('exp', null), at('exp', 30)],
    'exp a string': [withClaim('exp', '99999999999'), withClaim('exp', 99999999999)],
    'exp beyond every number': [withNumber('exp', () => '1e400'), withNumber('exp', () => '1e40')],
    'exp negative': [withClaim('exp', -1), at('exp', 30)],
  }),
  ...proofsRefusedFor('nbf', {
    'nbf ahead': [at('nbf', 40), at('nbf', 0)],
    'nbf null': [withClaim('nbf', null), withClaim('nbf', 0)],
    'nbf a string': [withClaim('nbf', '0'), withClaim('nbf', 0)],
    'nbf false': [withClaim('nbf', false), withClaim('nbf', 0)],
  }),
  ...proofsRefusedFor('jti', {
    'no jti': withClaim('jti', undefined),
    'an empty jti': withClaim('jti', ''),
    'a jti of 129 characters': [withText('jti', (jti) => jti.padEnd(129, 'x')), withText('jti', (jti) => jti.padEnd(128, 'x'))],
    'a jti of 129 emojis': [withText('jti', () => '\u{1f600}'.repeat(129)), withText('jti', (jti) => jti + '\u{1f600}'.repeat(128 - jti.length))],
    'a jti with U+0000': [withText('jti', (jti) => `${jti}\0`), withText('jti', (jti) => `${jti}\u0001`)],
    'a jti that is a number': withClaim('jti', 1),
    'a jti that is true': withClaim('jti', true),
    'a jti in an array': { claims: (claims) => ({ ...claims, jti: [claims['jti']] }) },
    'a jti that is an object': withClaim('jti', {}),
  }),
  ...proofsRefusedFor('ath', {
    'no ath': withClaim('ath', undefined),
    'an empty ath': withClaim('ath', ''),
    'a padded ath': withText('ath', (ath) => `${ath}=`),
    'an ath cut short': withText('ath', (ath) => ath.slice(0, -1)),
    'an ath in hex': withText('ath', (ath) => Buffer.from(ath, 'base64url').toString('hex')),
    'an ath with a bit left over': withText('ath', (ath) => ath.slice(0, -1) + String.fromCharCode(ath.charCodeAt(42) + 1)),
    'the ath of another token': withClaim('ath', 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'),
    'an ath in an array': { claims: (claims) => ({ ...claims, ath: [claims['ath']] }) },
  }),
];
