import { describe, expect, it } from '@jest/globals';
import { vocabulary } from '@latchkey/contracts';
import { adoptedAccountId, isSameRequest, lifetimeSeconds, stateOf, viewOf } from './cookie.js';

const noon = new Date('2026-11-23T12:00:00.000Z');
const before = new Date(noon.getTime() - 1);
const after = new Date(noon.getTime() + 1);

describe('the state of a cookie', () => {
  it.each([
    { given: 'one whose time is not over', expiresAt: after, boundAt: null, then: 'pending' },
    { given: 'one whose time ends this instant', expiresAt: noon, boundAt: null, then: 'expired' },
    { given: 'one whose time is over', expiresAt: before, boundAt: null, then: 'expired' },
    { given: 'a bound one', expiresAt: after, boundAt: before, then: 'bound' },
    { given: 'a bound one whose time is over', expiresAt: before, boundAt: before, then: 'bound' },
  ])('given $given, it is $then', ({ expiresAt, boundAt, then }) => {
    expect(stateOf({ expiresAt, boundAt }, noon)).toBe(then);
  });
});

describe('the lifetime of a cookie', () => {
  it('is the default where nobody said', () => expect(lifetimeSeconds({ accountId: 'alice' }, 3600)).toBe(3600));
  it('is what was asked for', () => expect(lifetimeSeconds({ accountId: 'alice', ttlSeconds: 1 }, 3600)).toBe(1));
  it('may be 30 days', () => expect(lifetimeSeconds({ accountId: 'alice', ttlSeconds: 2_592_000 }, 3600)).toBe(2_592_000));
  it('may not be a second longer', () => expect(lifetimeSeconds({ accountId: 'alice', ttlSeconds: 2_592_001 }, 3600)).toBe('ttl-too-long'));
});

describe('the same request again', () => {
  it.each([
    { case: 'equal', request: { accountId: 'alice', ttlSeconds: 60 }, same: true },
    { case: 'another account', request: { accountId: 'bob', ttlSeconds: 60 }, same: false },
    { case: 'another lifetime', request: { accountId: 'alice', ttlSeconds: 61 }, same: false },
    { case: 'no lifetime', request: { accountId: 'alice' }, same: false },
  ])('$case: $same', ({ request, same }) => {
    expect(isSameRequest({ accountId: 'alice', ttlSeconds: 60 }, request)).toBe(same);
  });

  it('holds where neither names a lifetime', () => {
    expect(isSameRequest({ accountId: 'alice', ttlSeconds: undefined }, { accountId: 'alice' })).toBe(true);
  });
});

describe('the account of an adopted cookie', () => {
  it.each([
    ['a+b/c==', 'cookie:612b622f633d3d'],
    ['/'.repeat(32), `cookie:${'2f'.repeat(32)}`],
  ])('of %s is %s, which is an account id', (cookie, account) => {
    expect(adoptedAccountId(cookie)).toBe(account);
    expect(vocabulary.accountId.safeParse(account).success).toBe(true);
  });
});

it('shows a cookie without its merchant', () => {
  const cookie = { merchantId: 'default', cookie: 'crumb', accountId: 'alice', expiresAt: noon, boundAt: null };
  expect(viewOf(cookie, 'pending')).toEqual({ cookie: 'crumb', accountId: 'alice', state: 'pending', expiresAt: '2026-11-23T12:00:00.000Z' });
});
