import { expect, it } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { BATCH_SIZE_MAX, type Broker, done, type Verdict } from '../src/broker.js';
import { depthsOf, idOf, issuer, many, remembering } from './contract-fixtures.js';

/** The part of the contract that is about messages that wait for a part that is away. */
export function describeWaitingContract(bus: () => Broker): void {
  const waiting: Verdict = { kind: 'wait', reason: 'the database is away', queueWaits: true };
  const waitingForCalled: Verdict = { kind: 'wait', reason: 'the cookie service is away' };

  it('keeps what waits for a part that is away, counts no attempt, and handles others meanwhile', async () => {
    let away = true;
    const { handler, seen, ids } = remembering((message) => (away && idOf(message).startsWith('held') ? waiting : done));
    await bus().publish(many(30, 'held'));
    await bus().consume(issuer, handler);
    // More often than the ladder has rungs, and than there are attempts.
    await eventually(() => expect(ids().filter((id) => id === 'held-0').length).toBeGreaterThanOrEqual(5));
    await bus().publish(many(3, 'other'));
    await eventually(() => expect(ids()).toEqual(expect.arrayContaining(['other-0', 'other-1', 'other-2'])));
    expect((await depthsOf(bus(), issuer)).retry).toBe(0);
    away = false;
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
    await eventually(() => expect(new Set(ids().slice(-40)).size).toBeGreaterThanOrEqual(30));
    expect(new Set(seen().map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  it('delays no message that can do without a called service, however many wait for it, and counts no attempt', async () => {
    let away = true;
    const { handler, seen, ids } = remembering((message) => (away && idOf(message).startsWith('held') ? waitingForCalled : done));
    // More than a consumer has in its hands at once.
    const held = many(2 * BATCH_SIZE_MAX + 50, 'held');
    await bus().publish(held);
    await bus().consume(issuer, handler);
    await eventually(() => expect(new Set(ids()).size).toBe(held.length));
    await bus().publish(many(3, 'other'));
    await eventually(() => expect(ids()).toEqual(expect.arrayContaining(['other-0', 'other-1', 'other-2'])));
    away = false;
    const before = seen().length;
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
    expect(new Set(ids().slice(before)).size).toBe(held.length);
    expect(seen().filter(({ attempt, exchange }) => attempt !== 1 || exchange !== 'latchkey.events')).toEqual([]);
  });

  it('gives back what waits when the consumer stops, for the next one', async () => {
    const first = remembering(() => waiting);
    await bus().publish(many(5, 'held'));
    const running = await bus().consume(issuer, first.handler);
    await eventually(() => expect(new Set(first.ids()).size).toBe(5));
    await running.stop();
    const second = remembering();
    await bus().consume(issuer, second.handler);
    await eventually(() => expect([...second.ids()].sort()).toEqual(many(5, 'held').map(({ id }) => id)));
    expect(second.seen().every(({ attempt }) => attempt === 1)).toBe(true);
  });
}
