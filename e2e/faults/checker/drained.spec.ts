import { describe, expect, it } from '@jest/globals';
import type { QueueState } from '../system/target.js';
import { checkDrained } from './drained.js';
import { change, goodRun, type MadeUpRun } from './made-up-run.js';

const breachesOf = ({ final }: MadeUpRun): string[] => checkDrained(final).broken.map(({ what }) => what);
const queue = (change_: Partial<QueueState>): MadeUpRun =>
  change(goodRun(), { queues: goodRun().final.queues.map((one) => (one.name === change_.name ? { ...one, ...change_ } : one)) });

describe('I5, all drains', () => {
  it('holds for empty outboxes and queues, whatever lies in quarantine', () => {
    expect(checkDrained(goodRun().final)).toEqual({ invariant: 'I5', tried: { outboxes: 5, queues: 2, events: 4 }, broken: [] });
  });

  it.each([
    ['it did not drain within the bound', change(goodRun(), { drainedMs: null })],
    ['an outbox holds an event', change(goodRun(), { outbox: { 'license-server': 1 } })],
    ['a queue holds a message', queue({ name: 'cookie.in', messages: 1 })],
    ['a rung of the ladder holds a message', queue({ name: 'cookie.retry.5s', messages: 1 })],
    ['a delivery is in flight', queue({ name: 'cookie.in', unacknowledged: 1 })],
  ])('breaks when %s', (_what, run) => {
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('says that it was not tried where no event ever moved', () => {
    expect(checkDrained(change(goodRun(), { feed: [] }).final).tried['events']).toBe(0);
  });
});
