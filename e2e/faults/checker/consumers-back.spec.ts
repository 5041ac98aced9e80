import { describe, expect, it } from '@jest/globals';
import { checkConsumersBack } from './consumers-back.js';
import { change, goodRun, type MadeUpRun } from './made-up-run.js';

const breachesOf = ({ final }: MadeUpRun): string[] => checkConsumersBack(final).broken.map(({ what }) => what);
const consumers = (count: number): MadeUpRun =>
  change(goodRun(), { queues: goodRun().final.queues.map((queue) => (queue.name === 'cookie.in' ? { ...queue, consumers: count } : queue)) });

describe('I7, every queue has its consumers again', () => {
  it('holds when they are as many as before, or more', () => {
    expect(checkConsumersBack(goodRun().final)).toEqual({ invariant: 'I7', tried: { 'queues with consumers': 1 }, broken: [] });
    expect(breachesOf(consumers(3))).toEqual([]);
  });

  it('breaks when one of two is missing, or both are', () => {
    expect(breachesOf(consumers(1))).toHaveLength(1);
    expect(breachesOf(consumers(0))).toHaveLength(1);
  });

  it('breaks when a queue is gone, with consumers or without', () => {
    expect(breachesOf(change(goodRun(), { queues: goodRun().final.queues.filter(({ name }) => name !== 'cookie.in') }))).toHaveLength(1);
    expect(breachesOf(change(goodRun(), { queues: goodRun().final.queues.filter(({ name }) => name !== 'cookie.retry.5s') }))).toHaveLength(1);
  });

  it('does not ask for a process’s own queue for answers, which has another name after each connection', () => {
    const run = goodRun();
    const own = { name: 'amq.rabbitmq.reply-to.g1', messages: 0, unacknowledged: 0, consumers: 1 };
    expect(breachesOf(change(run, { baseline: { ...run.final.baseline, queues: [...run.final.queues, own] } }))).toEqual([]);
  });
});
