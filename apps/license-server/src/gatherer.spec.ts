import { describe, expect, it } from '@jest/globals';
import { Gatherer, type GathererLimits, GatherTimeout } from './gatherer.js';

const limits: GathererLimits = { batchSizeMax: 3, inFlightMax: 2, waitingMax: 100, timeoutMs: 1_000, isFaultOfOne: () => true };

/** Work that ends when it is told to, and remembers its batches. */
function heldWork(): { work: (items: readonly number[]) => Promise<number[]>; batches: number[][]; release: () => void } {
  const batches: number[][] = [];
  let releases: (() => void)[] = [];
  return {
    batches,
    release: () => {
      for (const release of releases) release();
      releases = [];
    },
    work: async (items) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => releases.push(resolve));
      return items.map((item) => item * 10);
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('Gatherer', () => {
  it('hands a lone item over by itself', async () => {
    const gatherer = new Gatherer(async (items: readonly number[]) => items.map((item) => item + items.length), limits);
    expect(await gatherer.add(1)).toBe(2);
  });

  it('gathers what comes in one turn, in batches of the largest size, and answers each its own', async () => {
    const sizes: number[] = [];
    const gatherer = new Gatherer(async (items: readonly number[]) => (sizes.push(items.length), items.map((item) => item * 10)), limits);
    expect(await Promise.all([1, 2, 3, 4, 5].map((item) => gatherer.add(item)))).toEqual([10, 20, 30, 40, 50]);
    expect(sizes).toEqual([3, 2]);
  });

  it('has no more batches under way than allowed, and gathers what comes meanwhile', async () => {
    const { work, batches, release } = heldWork();
    const gatherer = new Gatherer(work, { ...limits, inFlightMax: 1 });
    const first = gatherer.add(1);
    await nextTurn();
    const others = [2, 3].map((item) => gatherer.add(item));
    await nextTurn();
    expect(batches).toEqual([[1]]);
    release();
    await first;
    await nextTurn();
    release();
    await Promise.all(others);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('does each alone when the batch failed for one of them, so that only that one fails', async () => {
    const gatherer = new Gatherer(async (items: readonly number[]) => {
      if (items.includes(2)) throw new Error('poison');
      return items;
    }, limits);
    const results = await Promise.allSettled([1, 2, 3].map((item) => gatherer.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails all at once when the fault is none of theirs', async () => {
    let calls = 0;
    const away = async (): Promise<number[]> => {
      calls += 1;
      throw new Error('away');
    };
    const gatherer = new Gatherer(away, { ...limits, isFaultOfOne: () => false });
    const results = await Promise.allSettled([1, 2, 3].map((item) => gatherer.add(item)));
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(1);
  });

  it('rejects a batch that got another number of results than it has items', async () => {
    const gatherer = new Gatherer(async () => [1, 1], { ...limits, isFaultOfOne: () => false });
    await expect(gatherer.add(1)).rejects.toThrow('2 results for 1 items');
  });

  it('gives up in time, and never begins what nobody waits for any more', async () => {
    const { work, batches, release } = heldWork();
    const gatherer = new Gatherer(work, { ...limits, inFlightMax: 1, timeoutMs: 20 });
    const underWay = gatherer.add(1);
    await nextTurn();
    const waiting = gatherer.add(2);
    await expect(Promise.any([underWay, waiting])).rejects.toThrow(AggregateError);
    await expect(waiting).rejects.toThrow(GatherTimeout);
    release();
    await gatherer.drain();
    expect(batches).toEqual([[1]]);
  });

  it('turns away what would have to wait behind too much', async () => {
    const { work, release } = heldWork();
    const gatherer = new Gatherer(work, { ...limits, waitingMax: 1 });
    const first = gatherer.add(1);
    await expect(gatherer.add(2)).rejects.toThrow(GatherTimeout);
    await nextTurn();
    release();
    expect(await first).toBe(10);
  });

  it('drains', async () => {
    const { work, release } = heldWork();
    const gatherer = new Gatherer(work, limits);
    const first = gatherer.add(1);
    let drained = false;
    const draining = gatherer.drain().then(() => (drained = true));
    await nextTurn();
    expect(drained).toBe(false);
    release();
    await draining;
    expect(await first).toBe(10);
  });
});
