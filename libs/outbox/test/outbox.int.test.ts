import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TokenRevoked } from '@latchkey/contracts';
import { withCorrelation, withDeadline } from '@latchkey/messaging';
import { DataSource } from 'typeorm';
import { Outbox } from '../src/index.js';
import { openOutboxDatabase } from './outbox-database.js';

const revoked = { merchantId: 'm', tokenId: 't', reason: 'refunded', revokedAt: '2026-11-23T12:00:00Z', expiresAt: '2026-11-23T12:00:00Z' };

describe('Outbox.transaction', () => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  let outbox: Outbox;
  const count = async (table: string): Promise<number> =>
    (await dataSource.query<{ n: number }[]>(`select count(*)::int as n from ${table}`))[0]!.n;

  beforeAll(async () => {
    ({ dataSource, close } = await openOutboxDatabase());
  });
  afterAll(() => close());
  beforeEach(async () => {
    await dataSource.query('truncate effects, outbox_events, inbox_events, received_events');
    outbox = new Outbox(dataSource, []);
  });

  it('commits the effect and its events together, with the correlation id of the act', async () => {
    let woken = 0;
    outbox.onAppended(() => (woken += 1));
    await withCorrelation('act-1', () =>
      outbox.transaction(async (tx) => {
        await tx.rows(`insert into effects values ('a')`);
        tx.append(TokenRevoked, revoked);
        tx.append(TokenRevoked, revoked, 'act-0');
      }),
    );
    const rows = await dataSource.query<{ type: string; correlation_id: string; data: unknown }[]>(
      'select type, correlation_id, data from outbox_events order by position',
    );
    expect(rows).toEqual([
      { type: 'token.revoked.v1', correlation_id: 'act-1', data: revoked },
      { type: 'token.revoked.v1', correlation_id: 'act-0', data: revoked },
    ]);
    expect(await count('effects')).toBe(1);
    expect(woken).toBe(1);
  });

  it('calls back only when the events can be read', async () => {
    let seen: Promise<number> | undefined;
    outbox.onAppended(() => {
      seen = count('outbox_events');
    });
    await outbox.transaction(async (tx) => tx.append(TokenRevoked, revoked));
    expect(await seen).toBe(1);
  });

  it('leaves neither effect nor events behind when the work fails, and wakes nobody', async () => {
    outbox.onAppended(() => {
      throw new Error('woken for nothing');
    });
    const failing = outbox.transaction(async (tx) => {
      await tx.rows(`insert into effects values ('a')`);
      tx.append(TokenRevoked, revoked);
      await tx.flush();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([await count('effects'), await count('outbox_events')]).toEqual([0, 0]);
  });

  it('calls back after the commit, once, when the effect can be seen, and not after a rollback', async () => {
    const seen: Promise<number>[] = [];
    const wake = (): void => void seen.push(count('effects'));
    await outbox.transaction(async (tx) => {
      tx.afterCommit(wake);
      tx.afterCommit(wake);
      await tx.rows(`insert into effects values ('a')`);
    });
    const failing = outbox.transaction(async (tx) => {
      tx.afterCommit(wake);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await Promise.all(seen)).toEqual([1]);
  });

  it('commits nothing for an asker that has given up meanwhile', async () => {
    const late = withDeadline(Date.now() + 50, () =>
      outbox.transaction(async (tx) => {
        await tx.rows(`insert into effects values ('late')`);
        await new Promise((resolve) => setTimeout(resolve, 80));
      }),
    );
    await expect(late).rejects.toMatchObject({ code: 'unavailable' });
    await withDeadline(Date.now() + 5_000, () => outbox.transaction((tx) => tx.rows(`insert into effects values ('in time')`)));
    expect(await dataSource.query('select id from effects')).toEqual([{ id: 'in time' }]);
  });

  it('begins a deadlocked transaction anew until both have passed', async () => {
    await dataSource.query(`insert into effects values ('a'), ('b')`);
    let bothHold: () => void;
    const held = new Promise<void>((resolve) => (bothHold = resolve));
    let holding = 0;
    const attempts: string[] = [];
    const lockBoth = (first: string, second: string): Promise<void> =>
      outbox.transaction(async (tx) => {
        attempts.push(first);
        await tx.rows('update effects set times = times + 1 where id = $1', [first]);
        if ((holding += 1) === 2) bothHold();
        await held;
        await tx.rows('update effects set times = times + 1 where id = $1', [second]);
      });
    await Promise.all([lockBoth('a', 'b'), lockBoth('b', 'a')]);
    expect(await dataSource.query('select times from effects')).toEqual([{ times: 3 }, { times: 3 }]);
    expect(attempts.length).toBeGreaterThan(2);
  });
});
