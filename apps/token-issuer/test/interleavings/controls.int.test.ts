import type { Bounds, Rewrite, Scenario } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, registered, terms } from '../issuer.js';
import { judgePurchase } from './judge-issuer.js';
import { type QuietIssuer, startQuietIssuer } from './quiet-issuer.js';
import { type ActName, saleWorld, type Start } from './sale-world.js';

let quiet: QuietIssuer;
let kid: string;

beforeAll(async () => {
  quiet = await startQuietIssuer();
  kid = await quiet.issuer.kid();
});

afterAll(() => quiet.stop());

const bounds: Bounds = { preemptionsMax: 2, schedulesMax: 600, randomCount: 0, seed: 1 };
const sale = (start: Start, ...acts: ActName[]): Scenario => ({
  name: `${acts.join(' × ')}, from ${start}`,
  prepare: () => saleWorld(quiet.issuer, start, acts),
});
const breachesOf = async (scenario: Scenario, rewrite?: Rewrite): Promise<readonly string[]> =>
  (await quiet.explorer.explore(scenario, bounds, rewrite)).broken?.breaches ?? [];

/** The join is not locked by one participant: rows that are there already are left alone. */
const withoutJoinLock =
  (unlocked: string): Rewrite =>
  (sql, participant) =>
    participant === unlocked && sql.includes('insert into cookie_joins')
      ? sql.replace(/on conflict[\s\S]*/, 'on conflict do nothing')
      : sql;
const withoutStateCondition: Rewrite = (sql) => sql.replace(`and purchases.state = 'awaiting-device'`, '');
const both =
  (one: Rewrite, other: Rewrite): Rewrite =>
  (sql, participant) =>
    other(one(sql, participant), participant);
const withoutDeviceLock: Rewrite = (sql) => (sql.includes('from known_devices') ? sql.replace('for share', '') : sql);

describe('the explorer', () => {
  it('finds a purchase that waits for ever if the purchase does not lock its join', async () => {
    const scenario: Scenario = {
      name: 'purchase × registration, whose join is there',
      prepare: async () => {
        const { issuer } = quiet;
        const cookie = issuer.neighbours.cookie();
        await issuer.hear(completed(terms({ cookie, kids: [kid] })));
        const purchase = terms({ cookie, kids: [kid] });
        const binding = issuer.neighbours.bind(cookie);
        return {
          work: {
            purchase: () => issuer.hear(completed(purchase)),
            registration: () => issuer.hear(registered(binding)),
          },
          judge: () => judgePurchase(issuer, { ...purchase, refunded: false, mustEnd: true }),
        };
      },
    };
    expect(await breachesOf(scenario)).toEqual([]);
    expect(await breachesOf(scenario, withoutJoinLock('purchase'))).toContain(
      'a purchase whose device registered is awaiting-device',
    );
  });

  it('finds a lost refund without the lock and the state condition, and none if one is there', async () => {
    const scenario = sale('waiting', 'refund', 'registration');
    expect(await breachesOf(scenario, withoutJoinLock('refund'))).toEqual([]);
    const lost = await breachesOf(scenario, both(withoutJoinLock('refund'), withoutStateCondition));
    expect(lost).toContain('an accepted refund is lost: the purchase is issued');
  });

  it('finds a token that outlives the revocation of its device if the device is not locked', async () => {
    const scenario = sale('bound', 'revocation', 'purchase');
    expect(await breachesOf(scenario)).toEqual([]);
    expect(await breachesOf(scenario, withoutDeviceLock)).toContain('a revoked device has a live token');
  });

  it('prints a schedule that breaks again when it is replayed', async () => {
    const scenario = sale('bound', 'revocation', 'purchase');
    const { broken } = await quiet.explorer.explore(scenario, bounds, withoutDeviceLock);
    const again = await quiet.explorer.replay(scenario, broken!.schedule, withoutDeviceLock);
    expect(again.broken?.breaches).toEqual(broken!.breaches);
    expect(broken!.report).toContain('LATCHKEY_SCHEDULE=');
    expect((await quiet.explorer.replay(scenario, broken!.schedule)).broken).toBeUndefined();
  });
});
