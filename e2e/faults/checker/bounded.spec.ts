import { describe, expect, it } from '@jest/globals';
import type { Sample } from '../final-state.js';
import { checkBounded, memoryLimits } from './bounded.js';
import { change, goodRun, type MadeUpRun } from './made-up-run.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkBounded(history, final).broken.map(({ what }) => what);
const good = goodRun().final.samples[0]!;
const [process] = good.memory;
const holding = (rssBytes: number): Sample => ({ ...good, memory: [{ ...process!, rssBytes }] });
const queueing = (messages: number, unacknowledged: number): Sample => ({ ...good, queues: [{ name: 'cookie.in', messages, unacknowledged, consumers: 2 }] });
const sampled = (...samples: Sample[]): MadeUpRun => change(goodRun(), { samples });

describe('I6, memory and backlog are bounded', () => {
  it('holds for processes that stay about as they were', () => {
    const { history, final } = goodRun();
    expect(checkBounded(history, final)).toEqual({ invariant: 'I6', tried: { processes: 1, samples: 1 }, broken: [] });
    expect(breachesOf(sampled(holding(process!.rssBytes + 100 * 1024 * 1024)))).toEqual([]);
  });

  it('breaks when a process ends larger than it was, or was ever too large', () => {
    expect(breachesOf(sampled(holding(process!.rssBytes + memoryLimits.growthBytesMax + 1)))).toHaveLength(1);
    expect(breachesOf(sampled(holding(memoryLimits.rssBytesMax + 1), good))).toHaveLength(1);
  });

  it('breaks when a queue held more than was done can have caused', () => {
    expect(breachesOf(sampled(queueing(5_001, 0), good))).toHaveLength(1);
    expect(breachesOf(sampled(queueing(4_999, 0), good))).toEqual([]);
  });

  it('breaks when more was in flight than consumers may take', () => {
    expect(breachesOf(sampled(queueing(0, 801), good))).toHaveLength(1);
    expect(breachesOf(sampled(queueing(0, 800), good))).toEqual([]);
  });

  it('says that it was not tried where nobody looked', () => {
    const { history, final } = sampled();
    expect(checkBounded(history, final).tried).toEqual({ processes: 0, samples: 0 });
  });
});
