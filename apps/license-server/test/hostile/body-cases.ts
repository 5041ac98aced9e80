import { CONTENT_KEY, KID, keyRing, kidInRequest, MERCHANT, OTHER_KID } from '../bench.js';
import { BODY, type RequestChange } from './draft.js';
import { bodiesRefusedFor, type HostileCase, refusedAtEdge, refusedFor } from './hostile-case.js';
import { nonCanonical } from './jws-form.js';

const kid = kidInRequest(KID);
const other = kidInRequest(OTHER_KID);
const ask = (kids: unknown, more: object = {}): string => JSON.stringify({ kids, type: 'temporary', ...more });
const named = (count: number): string[] => Array.from({ length: count }, (_, index) => index.toString(16).padStart(32, '0'));
/** Asks for so many kids, with a token that has 32. */
const asking = (count: number): RequestChange => ({
  token: {
    claims: (claims) => ({ ...claims, kids: named(32), keys: named(32).map((each) => keyRing().wrapContentKey({ merchantId: MERCHANT, kid: each, key: CONTENT_KEY })) }),
  },
  body: ask(named(count).map(kidInRequest)),
});
/** The right body, made so many bytes long with white space. */
const long = (bytes: number): RequestChange => ({ body: BODY.padEnd(bytes) });

/** What is asked for: its form is judged before anybody looks whether the token has the kids. */
export const bodyCases: readonly HostileCase[] = [
  ...bodiesRefusedFor('empty', { 'no body': '' }),
  ...bodiesRefusedFor('not-json', {
    'a body of white space': ' ',
    'a body cut short': BODY.slice(0, -1),
    'something behind the body': `${BODY}x`,
    'a second body behind the first': BODY + BODY,
    'a form': `kids=${kid}&type=temporary`,
    'single quotes': BODY.replaceAll('"', "'"),
    'a comment in the body': BODY.replace('{', '{/**/'),
    'a comma at the end of the kids': BODY.replace(']', ',]'),
    'a byte order mark': `\ufeff${BODY}`,
    'a body in UTF-16': Buffer.from(BODY, 'utf16le'),
    'a byte that is not UTF-8': Buffer.concat([Buffer.from('{"\xff":1,', 'latin1'), Buffer.from(BODY.slice(1))]),
    'kids twice': BODY.replace('{', `{"kids":["${kid}"],`),
    'kids twice, the first ones foreign': BODY.replace('{', `{"kids":["${other}"],`),
    'kids twice, once escaped': [BODY.replace('{', `{"k\\u0069ds":["${other}"],`), BODY.replace('kids', 'k\\u0069ds')],
    'type twice': BODY.replace('{', '{"type":"temporary",'),
    'a duplicate inside a member': BODY.replace('{', '{"x":{"a":1,"a":1},'),
    'a lone surrogate': BODY.replace('{', '{"x":"\\ud800",'),
    'nested too deep': BODY.replace('{', `{"x":${'['.repeat(9)}${']'.repeat(9)},`),
    'thousands of brackets': '['.repeat(60_000),
    'NaN among the kids': `{"kids":["${kid}",NaN]}`,
  }),
  ...bodiesRefusedFor('not-object', {
    'an array': `[${BODY}]`,
    'null': 'null',
    'a string': JSON.stringify(BODY),
    'a number': '1',
    'true': 'true',
  }),
  ...bodiesRefusedFor('kids-form', {
    'no kids': '{"type":"temporary"}',
    'null for kids': ask(null),
    'one kid that is no array': ask(kid),
    'an object for kids': ask({ 0: kid, length: 1 }),
    'kids by way of __proto__': `{"__proto__":{"kids":["${kid}"]}}`,
    'kids in capitals': BODY.replace('kids', 'KIDS'),
  }),
  ...bodiesRefusedFor('kids-count', { 'empty kids': ask([]) }),
  ...refusedFor(['body', 'kids-count', 'invalid-request'], { '33 kids': [asking(33), asking(32)] }),
  ...bodiesRefusedFor('kid-form', {
    'a padded kid': ask([`${kid}==`]),
    'a kid with a bit left over': ask([nonCanonical(kid)]),
    'a kid in plain base64': [ask([Buffer.from(KID, 'hex').toString('base64').replace('==', '')]), ask([kid])],
    'a kid in hex': ask([KID]),
    'a kid as a UUID': ask([KID.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')]),
    'a kid of 15 bytes': ask([kidInRequest(KID.slice(2))]),
    'a kid of 17 bytes': ask([kidInRequest(`${KID}00`)]),
    'an empty kid': ask(['']),
    'a kid that is a number': ask([1]),
    'a kid that is null': ask([kid, null]),
    'a kid in an array': ask([[kid]]),
    'a kid with white space': ask([`${kid}\n`]),
    'a malformed kid beside one that is not in the token': ask([other, 'x']),
  }),
  ...bodiesRefusedFor('kids-repeated', { 'a kid twice': ask([kid, kid]), 'a kid that is not in the token, twice': ask([other, kid, other]) }),
  ...bodiesRefusedFor('type-unknown', {
    'type persistent-license': ask([kid], { type: 'persistent-license' }),
    'type null': ask([kid], { type: null }),
    'type in capitals': ask([kid], { type: 'TEMPORARY' }),
    'type in an array': ask([kid], { type: ['temporary'] }),
    'an empty type': ask([kid], { type: '' }),
  }),
  ...bodiesRefusedFor('unknown-member', {
    'a member that nobody knows': ask([kid], { deviceId: 'x' }),
    'a member with an empty name': ask([kid], { '': 1 }),
    'a member called __proto__': BODY.replace('{', '{"__proto__":{},'),
  }),
  ...bodiesRefusedFor('not-json', { 'white space with a registration token': [' ', ''] }, 'registration'),
  ...bodiesRefusedFor('kids-count', { 'empty kids with a registration token': [ask([]), ''] }, 'registration'),
  ...bodiesRefusedFor('kids-repeated', { 'a kid twice with a registration token': [ask([other, other]), ask([other])] }, 'registration'),
  ...refusedFor(['rights', 'kid-not-in-token', 'kid-not-in-token'], {
    'a kid that is not in the token': { body: ask([other]) },
    'a kid that is not in the token, behind one that is': { body: ask([kid, other]) },
    'a kid with the case of one letter changed': { body: ask([kid.replace('A', 'a')]) },
  }),
  ...refusedAtEdge('payload-too-large', { 'a byte over 64 KiB': [long(65_537), long(65_536)] }),
];
