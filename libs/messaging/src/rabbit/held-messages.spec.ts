import { describe, expect, it } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { HeldMessages, type WaitingMessage } from './held-messages.js';

const MINUTE_MS = 60_000;

function waits(from: number, count: number, queueWaits = false): WaitingMessage[] {
  return Array.from({ length: count }, (_, index) => ({ message: { fields: { deliveryTag: from + index } } as ConsumeMessage, queueWaits }));
}

const tags = (messages: readonly ConsumeMessage[]): number[] => messages.map(({ fields }) => fields.deliveryTag);

/** Messages that came from the queue, all of which wait. */
const arrived = (messages: WaitingMessage[]) => ({ waits: messages, size: messages.length, wasHeld: false, hasDone: false });
const others = { waits: [], size: 3, wasHeld: false, hasDone: true };

describe('held messages', () => {
  it('come back within 2 s, however often they were handled in vain', () => {
    const held = new HeldMessages(200, 10 * MINUTE_MS);
    let nowMs = 0;
    held.note(arrived(waits(1, 2)), nowMs);
    for (let round = 0; round < 50; round += 1) {
      const dueInMs = held.dueInMs(nowMs)!;
      expect(dueInMs).toBeGreaterThan(0);
      expect(dueInMs).toBeLessThanOrEqual(2_000);
      nowMs += dueInMs;
      expect(tags(held.take(200))).toEqual([1, 2]);
      held.note({ waits: waits(1, 2), size: 2, wasHeld: true, hasDone: false }, nowMs);
    }
  });

  it('that wait for a called service are not called for by messages that do without it', () => {
    const held = new HeldMessages(200, 10 * MINUTE_MS);
    held.note(arrived(waits(1, 2)), 0);
    const dueMs = held.dueInMs(0)!;
    held.note(others, 10);
    held.note(arrived(waits(3, 1)), 20);
    expect(held.dueInMs(20)).toBeCloseTo(dueMs - 20, 6);
  });

  it('that wait for the database are handled at once when a message is done, and the rest when held ones are', () => {
    const held = new HeldMessages(200, 10 * MINUTE_MS);
    held.note(arrived(waits(1, 5, true)), 0);
    held.note(others, 10);
    expect(held.dueInMs(10)).toBe(0);
    expect(tags(held.take(2))).toEqual([1, 2]);
    held.note({ waits: [], size: 2, wasHeld: true, hasDone: true }, 20);
    expect(held.dueInMs(20)).toBe(0);
    expect(tags(held.take(200))).toEqual([3, 4, 5]);
    held.note({ waits: [], size: 3, wasHeld: true, hasDone: true }, 30);
    expect(held.dueInMs(30)).toBeUndefined();
  });

  it('leave for a rung, the oldest first, if too many wait for called services', () => {
    const held = new HeldMessages(3, 10 * MINUTE_MS);
    expect(held.note(arrived([...waits(1, 2), ...waits(10, 4, true), ...waits(20, 3)]), 0)).toMatchObject({
      toRung: [{ fields: { deliveryTag: 1 } }, { fields: { deliveryTag: 2 } }],
      toQueue: [],
    });
    expect(tags(held.take(99))).toEqual([10, 11, 12, 13, 20, 21, 22]);
  });

  it('go back to the queue before the broker takes them away', () => {
    const held = new HeldMessages(200, 10 * MINUTE_MS);
    held.note(arrived(waits(1, 1, true)), 0);
    held.note(arrived(waits(2, 1)), MINUTE_MS);
    const again = [...waits(1, 1, true), ...waits(2, 1)];
    held.take(2);
    const nearly = held.note({ waits: again, size: 2, wasHeld: true, hasDone: false }, 10 * MINUTE_MS - 1);
    expect(nearly).toEqual({ toRung: [], toQueue: [] });
    held.take(2);
    expect(tags(held.note({ waits: again, size: 2, wasHeld: true, hasDone: false }, 10 * MINUTE_MS).toQueue)).toEqual([1]);
    expect(tags(held.take(2))).toEqual([2]);
  });
});
