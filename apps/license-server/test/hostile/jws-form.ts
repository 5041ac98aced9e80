import { type JwsChange, b64 } from './draft.js';
import type { Changes } from './hostile-case.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Another spelling of the same bytes: one of the bits set that the last character leaves over. */
export function nonCanonical(part: string): string {
  if (part.length % 4 === 0) throw new Error('no bits are left over in this part');
  return part.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(part.slice(-1)) + 1);
}

/** White space at the end, so many that bits are left over in the last character. */
const padded = (text: string): string => text + ' '.repeat((4 - (Buffer.byteLength(text) % 3)) % 3);
const part = (index: number, change: (part: string) => string): ((jws: string) => string) => {
  return (jws) => jws.split('.').map((each, at) => (at === index ? change(each) : each)).join('.');
};
const duplicated = (text: string, name: string, spelled: string = name): string =>
  text.replace(new RegExp(`"${name}":("[^"]*"|\\d+|\\{[^}]*\\})`), `"${spelled}":$1,$&`);

/**
 * What is no JWS at all, whoever signs it: for proofs and tokens alike. `member` and `claim` name one of the header's
 * and one of the claims' own members, to be written twice.
 */
export function malformedJws(member: string, claim: string): Changes<JwsChange> {
  const twice = (name: string, spelled?: string): ((text: string) => string) => (text) => duplicated(text, name, spelled);
  const escaped = (name: string): string => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  return {
    'one part': { compact: (jws) => jws.replaceAll('.', '') },
    'two parts': { compact: (jws) => jws.slice(0, jws.lastIndexOf('.')) },
    'four parts': { compact: (jws) => `${jws}.` },
    'the five parts of a JWE': { compact: (jws) => `${jws}.AA.AA` },
    'an empty header': { compact: part(0, () => '') },
    'an empty payload': { compact: part(1, () => '') },
    'a padded signature': { compact: (jws) => `${jws}==` },
    'a signature with a bit left over': { compact: part(2, nonCanonical) },
    'a header with a bit left over': [{ headerText: padded, parts: ([header, claims]) => [nonCanonical(header), claims] }, { headerText: padded }],
    'claims with a bit left over': [{ claimsText: padded, parts: ([header, claims]) => [header, nonCanonical(claims)] }, { claimsText: padded }],
    'a header that is null': { headerText: () => 'null' },
    'a header in an array': { headerText: (text) => `[${text}]` },
    'a header that is a string': { headerText: (text) => JSON.stringify(text) },
    'a header that is no JSON': { headerText: (text) => text.slice(0, -1) },
    'claims in an array': { claimsText: (text) => `[${text}]` },
    'claims that are null': { claimsText: () => 'null' },
    'claims with a comma at the end': { claimsText: (text) => text.replace(/}$/, ',}') },
    'claims with a comment': { claimsText: (text) => text.replace('{', '{/**/') },
    'two objects for claims': { claimsText: (text) => `${text}{}` },
    'a byte order mark before the header': { headerText: (text) => `\ufeff${text}` },
    'a byte order mark before the claims': { claimsText: (text) => `\ufeff${text}` },
    'claims in Latin-1': { claimsText: (text) => Buffer.from(text.replace('{', '{"\u00e9":1,'), 'latin1') },
    'claims in UTF-16': { claimsText: (text) => Buffer.from(text, 'utf16le') },
    'a lone surrogate in a claim': { claimsText: (text) => text.replace(`"${claim}":"`, `"${claim}":"\\ud800`) },
    'a member of the header twice': { headerText: twice(member) },
    'a member of the header twice, once escaped': [{ headerText: twice(member, escaped(member)) }, { headerText: (text) => text.replace(`"${member}"`, `"${escaped(member)}"`) }],
    'alg twice, the other one none': { headerText: (text) => text.replace('{', '{"alg":"none",') },
    'alg twice, once as \\u0061lg': [{ headerText: (text) => text.replace('{', '{"\\u0061lg":"none",') }, { headerText: (text) => text.replace('"alg"', '"\\u0061lg"') }],
    'a claim twice': { claimsText: twice(claim) },
    'a claim twice, once escaped': [{ claimsText: twice(claim, escaped(claim)) }, { claimsText: (text) => text.replace(`"${claim}"`, `"${escaped(claim)}"`) }],
    'a claim twice, the first one a lie': { claimsText: (text) => text.replace('{', `{"${claim}":"x",`) },
    'a duplicate inside a claim': { claimsText: (text) => text.replace('{', '{"x":{"a":1,"a":1},') },
    'claims nested too deep': { claimsText: (text) => text.replace('{', `{"x":${'['.repeat(8)}${']'.repeat(8)},`) },
  };
}

/** What no header can carry as a credential, and a proof's header can. */
export const notEvenACredential: Changes<JwsChange> = {
  'JSON serialisation': { compact: (jws) => jws.replace(/^(.*)\.(.*)\.(.*)$/, '{"protected":"$1"\\t"payload":"$2"\\t"signature":"$3"}') },
  'a space in the middle': { compact: (jws) => jws.replace('.', '. ') },
  'a quoted JWS': { compact: (jws) => `"${jws}"` },
  'a percent-encoded dot': { compact: (jws) => jws.replace('.', '%2e') },
  'a byte of UTF-8 in the middle': { compact: (jws) => jws.replace('.', '.\u00c3\u00a9') },
};

/** The same bytes in the other alphabet. The twin holds the claim that makes the two spellings differ. */
export const otherAlphabet: Changes<JwsChange> = {
  'the alphabet of base64': [
    { claimsText: dashed, compact: part(1, (claims) => claims.replaceAll('-', '+').replaceAll('_', '/')) },
    { claimsText: dashed },
  ],
  'the alphabet of base64, signed so': [
    { claimsText: dashed, parts: ([header, claims]) => [header, claims.replaceAll('-', '+').replaceAll('_', '/')] },
    { claimsText: dashed },
  ],
};

/** With U+00FF, whose two bytes give a `_` or `-` wherever they fall. */
function dashed(text: string): string {
  const result = text.replace('{', '{"x":"\u00ff\u00ff\u00ff",');
  if (!/[-_]/.test(b64(result))) throw new Error('nothing in which the alphabets differ');
  return result;
}
