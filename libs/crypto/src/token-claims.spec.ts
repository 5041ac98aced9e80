import { describe, expect, it } from '@jest/globals';
import { CONTENT, JKT, KID_1, KID_2, manyKids, omit, REGISTRATION, wrappedKey } from '../test/sample-claims.js';
import { refuseClaims } from './token-claims.js';

const RENTAL = { type: 'rental', available_until: 1_900_000_000, play_duration: 172_800 };
const KEYS = CONTENT.keys;
const UNBOUND = omit(CONTENT, 'cnf');
const LATEST = 253_402_300_799;

describe('refuseClaims lets pass a registration token', () => {
  it.each<[string, Record<string, unknown>]>([
    ['as it is made', { ...REGISTRATION }],
    ['narrowed to a device', { ...REGISTRATION, cnf: { jkt: JKT } }],
    ['whose cookie has expired: that is for the rights to say', { ...REGISTRATION, cookie_exp: 0 }],
    ['with the longest names', { ...REGISTRATION, account: 'a'.repeat(128), cookie: 'c'.repeat(32) }],
  ])('%s', (_, claims) => {
    expect(refuseClaims('registration', claims)).toBeUndefined();
  });
});

describe('refuseClaims lets pass a content token', () => {
  it.each<[string, Record<string, unknown>]>([
    ['as it is made', { ...CONTENT }],
    ['without purchase', omit(CONTENT, 'purchase')],
    ['without account', omit(CONTENT, 'account')],
    ['for an asserted device', { ...UNBOUND, device: 'a'.repeat(128) }],
    ['with a cookie that a merchant made up', { ...CONTENT, cookie: 'a+b/c==@d.e~f:g_h-' }],
    ['with the play clock of another token', { ...CONTENT, clock: 'tok_1' }],
    ['of a purchase from a day on', { ...CONTENT, rights: { type: 'purchase', available_from: 1 } }],
    ['of a rental', { ...CONTENT, rights: RENTAL }],
    ['of a rental from a day on', { ...CONTENT, rights: { ...RENTAL, available_from: 1 } }],
    ['until the last day', { ...CONTENT, exp: LATEST }],
    ['of 32 kids', { ...CONTENT, kids: manyKids(32), keys: manyKids(32).map((kid) => wrappedKey(kid)) }],
  ])('%s', (_, claims) => {
    expect(refuseClaims('content', claims)).toBeUndefined();
  });
});

describe('refuseClaims refuses a registration token with', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['no account', omit(REGISTRATION, 'account'), 'claim-members'],
    ['no cookie_exp', omit(REGISTRATION, 'cookie_exp'), 'claim-members'],
    ['kids', { ...REGISTRATION, kids: [KID_1] }, 'claim-members'],
    ['clock', { ...REGISTRATION, clock: 'tok_1' }, 'claim-members'],
    ['a claim that we do not know', { ...REGISTRATION, region: 'EU' }, 'claim-members'],
    ['__proto__', JSON.parse(`{"__proto__":1,${JSON.stringify(REGISTRATION).slice(1)}`), 'claim-members'],
    ['cookie_exp as text', { ...REGISTRATION, cookie_exp: '1' }, 'claim-cookie_exp'],
    ['an empty account', { ...REGISTRATION, account: '' }, 'claim-account'],
    ['cnf of null', { ...REGISTRATION, cnf: null }, 'claim-cnf'],
  ])('%s', (_, claims, reason) => {
    expect(refuseClaims('registration', { ...REGISTRATION })).toBeUndefined();
    expect(refuseClaims('registration', claims)).toBe(reason);
  });
});

describe('refuseClaims refuses a content token with', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ...['iss', 'aud', 'iat', 'exp', 'jti', 'merchant', 'cookie', 'content', 'kids', 'keys', 'rights'].map(
      (name): [string, Record<string, unknown>, string] => [
        `no ${name}`,
        omit(CONTENT, name as keyof typeof CONTENT),
        'claim-members',
      ],
    ),
    ['a claim that we do not know', { ...CONTENT, nbf: 1 }, 'claim-members'],
    ['cookie_exp', { ...CONTENT, cookie_exp: 1 }, 'claim-members'],
    ['iss of null', { ...CONTENT, iss: null }, 'claim-iss'],
    ['an empty iss', { ...CONTENT, iss: '' }, 'claim-iss'],
    ['aud in an array', { ...CONTENT, aud: [CONTENT.aud] }, 'claim-aud'],
    ['iat as text', { ...CONTENT, iat: String(CONTENT.iat) }, 'claim-iat'],
    ['iat with a fraction', { ...CONTENT, iat: CONTENT.iat + 0.5 }, 'claim-iat'],
    ['a negative iat', { ...CONTENT, iat: -1 }, 'claim-iat'],
    ['exp beyond what a date can be', { ...CONTENT, exp: LATEST + 1 }, 'claim-exp'],
    ['exp without bound', { ...CONTENT, exp: Infinity }, 'claim-exp'],
    ['exp not after iat', { ...CONTENT, exp: CONTENT.iat }, 'claim-exp'],
    ['an empty jti', { ...CONTENT, jti: '' }, 'claim-jti'],
    ['a jti of 129', { ...CONTENT, jti: 'j'.repeat(129) }, 'claim-jti'],
    ['a merchant with a slash', { ...CONTENT, merchant: 'm/1' }, 'claim-merchant'],
    ['a merchant that is a number', { ...CONTENT, merchant: 1 }, 'claim-merchant'],
    ['a cookie of 33', { ...CONTENT, cookie: 'c'.repeat(33) }, 'claim-cookie'],
    ['a cookie with a space', { ...CONTENT, cookie: 'c 1' }, 'claim-cookie'],
    ['a cookie with a per cent sign', { ...CONTENT, cookie: 'a%2Fb' }, 'claim-cookie'],
    ['account of null', { ...CONTENT, account: null }, 'claim-account'],
    ['a purchase with a line feed', { ...CONTENT, purchase: 'p1\n' }, 'claim-purchase'],
    ['clock of null', { ...CONTENT, clock: null }, 'claim-clock'],
    ['an empty clock', { ...CONTENT, clock: '' }, 'claim-clock'],
    ['a clock with a slash', { ...CONTENT, clock: 'purchase/p1' }, 'claim-clock'],
    ['an empty content', { ...CONTENT, content: '' }, 'claim-content'],
    ['no kid', { ...CONTENT, kids: [], keys: [] }, 'claim-kids'],
    ['33 kids', { ...CONTENT, kids: manyKids(33), keys: manyKids(33).map((kid) => wrappedKey(kid)) }, 'claim-kids'],
    ['a kid twice', { ...CONTENT, kids: [KID_1, KID_1] }, 'claim-kids'],
    ['a kid in capitals', { ...CONTENT, kids: [KID_1.toUpperCase(), KID_2] }, 'claim-kids'],
    ['a kid of 31', { ...CONTENT, kids: [KID_1.slice(1), KID_2] }, 'claim-kids'],
    ['a kid in base64url', { ...CONTENT, kids: ['ABEiM0RVZneImaq7zN3u_w', KID_2] }, 'claim-kids'],
    ['a kid that is a number', { ...CONTENT, kids: [1, KID_2] }, 'claim-kids'],
    ['kids as text', { ...CONTENT, kids: KID_1 }, 'claim-kids'],
    ['a key too few', { ...CONTENT, keys: KEYS.slice(1) }, 'claim-keys'],
    ['a key too many', { ...CONTENT, keys: [...KEYS, ...KEYS] }, 'claim-keys'],
    ['a bare key', { ...CONTENT, keys: [KID_1, KEYS[1]] }, 'claim-keys'],
    ['a key of null', { ...CONTENT, keys: [null, KEYS[1]] }, 'claim-keys'],
    ['keys in an object', { ...CONTENT, keys: { length: 2 } }, 'claim-keys'],
    ['rights of null', { ...CONTENT, rights: null }, 'claim-rights'],
    ['rights as text', { ...CONTENT, rights: 'purchase' }, 'claim-rights'],
    ['rights of a type that we do not know', { ...CONTENT, rights: { type: 'subscription' } }, 'claim-rights'],
    ['rights with a member that we do not know', { ...CONTENT, rights: { type: 'purchase', hdcp: 1 } }, 'claim-rights'],
    ['a purchase with an end', { ...CONTENT, rights: { ...RENTAL, type: 'purchase' } }, 'claim-rights'],
    ['a rental without an end', { ...CONTENT, rights: omit(RENTAL, 'available_until') }, 'claim-rights'],
    ['a rental without a play duration', { ...CONTENT, rights: omit(RENTAL, 'play_duration') }, 'claim-rights'],
    ['a play duration of 0', { ...CONTENT, rights: { ...RENTAL, play_duration: 0 } }, 'claim-rights'],
    ['a play duration with a fraction', { ...CONTENT, rights: { ...RENTAL, play_duration: 1.5 } }, 'claim-rights'],
    ['available_from as text', { ...CONTENT, rights: { ...RENTAL, available_from: '1' } }, 'claim-rights'],
    ['available_from of null', { ...CONTENT, rights: { type: 'purchase', available_from: null } }, 'claim-rights'],
    ['neither cnf nor device', UNBOUND, 'claim-binding'],
    ['both cnf and device', { ...CONTENT, device: 'd' }, 'claim-binding'],
    ['an empty cnf', { ...CONTENT, cnf: {} }, 'claim-cnf'],
    ['cnf with another member', { ...CONTENT, cnf: { jkt: JKT, jku: 'x' } }, 'claim-cnf'],
    ['a short jkt', { ...CONTENT, cnf: { jkt: JKT.slice(1) } }, 'claim-cnf'],
    ['a padded jkt', { ...CONTENT, cnf: { jkt: `${JKT}=` } }, 'claim-cnf'],
    ['a non-canonical jkt', { ...CONTENT, cnf: { jkt: `${JKT.slice(0, -1)}J` } }, 'claim-cnf'],
    ['an empty device', { ...UNBOUND, device: '' }, 'claim-device'],
    ['a device of 129', { ...UNBOUND, device: 'd'.repeat(129) }, 'claim-device'],
    ['a device with a line feed', { ...UNBOUND, device: 'd\n' }, 'claim-device'],
  ])('%s', (_, claims, reason) => {
    expect(refuseClaims('content', { ...CONTENT })).toBeUndefined();
    expect(refuseClaims('content', claims)).toBe(reason);
  });
});
