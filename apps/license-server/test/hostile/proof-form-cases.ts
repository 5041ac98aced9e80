import { type Changes, type HostileCase, proofsRefusedFor } from './hostile-case.js';
import type { JwsChange } from './draft.js';
import { malformedJws, notEvenACredential, otherAlphabet } from './jws-form.js';

const withMember = (name: string, value: unknown): JwsChange => ({ header: (header) => ({ ...header, [name]: value }) });
const withTyp = (typ: unknown): JwsChange => withMember('typ', typ);
const withAlg = (alg: unknown): JwsChange => withMember('alg', alg);
/** A proof of `bytes` bytes: white space in its claims makes it so long, in steps of four characters. */
const filled = (spaces: number): JwsChange => ({ claimsText: (text) => text.replace('{', `{${' '.repeat(spaces)}`) });

const extraMembers: Changes<JwsChange> = {
  'an extra kid': withMember('kid', 'k'),
  'an extra x5c': withMember('x5c', ['AA==']),
  'an extra x5u': withMember('x5u', 'https://evil.example/'),
  'an extra jku': withMember('jku', 'https://evil.example/'),
  'an extra cty': withMember('cty', 'JWT'),
  'an extra nonce in the header': withMember('nonce', 'x'),
  'an extra zip': withMember('zip', 'DEF'),
  'a crit of what is there': withMember('crit', ['alg']),
  'a crit of what it knows': { header: (header) => ({ ...header, crit: ['exp'], exp: 1 }) },
  'a crit of b64, which stays true': { header: (header) => ({ ...header, crit: ['b64'], b64: true }) },
  'b64 without crit': withMember('b64', true),
  'b64 false without crit': withMember('b64', false),
  'an extra __proto__': { headerText: (text) => text.replace('{', '{"__proto__":{},') },
  'an extra member with an empty name': withMember('', 1),
  'typ by way of __proto__': { headerText: (text) => text.replace(/"typ":("[^"]*")/, '"__proto__":{"typ":$1}') },
  'no typ': withTyp(undefined),
  'no alg': withAlg(undefined),
  'no jwk': withMember('jwk', undefined),
  'a jwk in capitals': { headerText: (text) => text.replace('"jwk"', '"JWK"') },
};

/** What is no proof in form: no JWS at all, or a header of other members. */
export const proofFormCases: readonly HostileCase[] = [
  ...proofsRefusedFor('proof-not-jws', { ...malformedJws('typ', 'jti'), ...notEvenACredential, ...otherAlphabet }),
  ...proofsRefusedFor('proof-too-large', { 'over 4 KiB': [filled(3_000), filled(2_000)] }),
  ...proofsRefusedFor('header-members', extraMembers),
  ...proofsRefusedFor('typ', {
    'typ JWT': withTyp('JWT'),
    'typ in capitals': withTyp('DPoP+JWT'),
    'typ as a whole media type': withTyp('application/dpop+jwt'),
    'typ with a space': withTyp('dpop+jwt '),
    'typ in an array': withTyp(['dpop+jwt']),
    'typ null': withTyp(null),
    'typ of a content token': withTyp('latchkey-content+jwt'),
  }),
];
