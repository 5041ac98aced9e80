import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Delivery, Verdict } from '@latchkey/messaging';
import { DataSource } from 'typeorm';
import { handleOnce, Outbox, type Tx } from '../src/index.js';
import { openOutboxDatabase } from './outbox-database.js';

type Named = Delivery<{ effect: string }>;

function delivery(id: string, source = '/checkout'): Named {
  return { event: { specversion: '1.0', id, source, type: 't', data: { effect: id } }, attempt: 1 };
}

describe('handleOnce', () => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  let outbox: Outbox;
  const noExceptions: ReadonlyMap<Named, Verdict> = new Map();
  const apply = async (tx: Tx, fresh: readonly Named[]): Promise<ReadonlyMap<Named, Verdict>> => {
    for (const { event } of fresh) {
      await tx.rows(`insert into effects values ($1) on conflict (id) do update set times = effects.times + 1`, [event.source + event.id]);
    }
    return noExceptions;
  };
  const effects = async (): Promise<Record<string, number>> => {
    const rows = await dataSource.query<{ id: string; times: number }[]>('select id, times from effects');
    return Object.fromEntries(rows.map(({ id, times }) => [id, times]));
  };

  beforeAll(async () => {
    ({ dataSource, close } = await openOutboxDatabase());
    outbox = new Outbox(dataSource, []);
  });
  afterAll(() => close());
  beforeEach(() => dataSource.query('truncate effects, outbox_events, inbox_events, received_events'));

  it('has an effect once, delivered twice in one batch, in two, or to two replicas at once', async () => {
    const twin = (): Named => delivery('1');
    expect(await handleOnce(outbox, [twin(), delivery('2'), twin()], apply)).toEqual([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }]);
    await handleOnce(outbox, [twin()], apply);
    await Promise.all(Array.from({ length: 8 }, () => handleOnce(outbox, [delivery('3'), delivery('2'), twin()], apply)));
    expect(await effects()).toEqual({ '/checkout1': 1, '/checkout2': 1, '/checkout3': 1 });
  });

  it('tells events of the same id from different sources apart', async () => {
    await handleOnce(outbox, [delivery('1', '/a'), delivery('1', '/b')], apply);
    expect(await effects()).toEqual({ '/a1': 1, '/b1': 1 });
  });

  it('does not remember what is to be retried or put aside, so that it has its effect when it comes back', async () => {
    const [good, early] = [delivery('good'), delivery('early')];
    const retry: Verdict = { kind: 'retry', reason: 'too early' };
    const verdicts = await handleOnce(outbox, [early, good], async (tx, fresh) => {
      await apply(tx, fresh.filter((one) => one !== early));
      return new Map([[early, retry]]);
    });
    expect(verdicts).toEqual([retry, { kind: 'done' }]);
    await handleOnce(outbox, [good, early], apply);
    expect(await effects()).toEqual({ '/checkoutgood': 1, '/checkoutearly': 1 });
  });

  it('remembers nothing when the work fails', async () => {
    const failing = handleOnce(outbox, [delivery('1')], async (tx, fresh) => {
      await apply(tx, fresh);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await handleOnce(outbox, [delivery('1')], apply);
    expect(await effects()).toEqual({ '/checkout1': 1 });
  });
});
