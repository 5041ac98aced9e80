import { beforeEach, describe, expect, it } from '@jest/globals';
import { JwksCache } from './jwks-cache.js';

const FRESH_MS = 5_000;

describe('what is known of the key set', () => {
  let nowMs: number;
  let asked: number;
  let answer: () => Promise<string>;
  let cache: JwksCache<string>;

  beforeEach(() => {
    nowMs = 0;
    asked = 0;
    answer = async () => `answer ${asked}`;
    const ask = (): Promise<string> => {
      asked += 1;
      return answer();
    };
    cache = new JwksCache(ask, FRESH_MS, () => nowMs);
  });

  it('is asked for once while it is fresh, and again afterwards', async () => {
    expect(await cache.get()).toBe('answer 1');
    nowMs = FRESH_MS - 1;
    expect(await cache.get()).toBe('answer 1');
    nowMs = FRESH_MS;
    expect(await cache.get()).toBe('answer 2');
  });

  it('is asked for once by many at the same time', async () => {
    expect(await Promise.all([cache.get(), cache.get(), cache.get()])).toEqual(['answer 1', 'answer 1', 'answer 1']);
  });

  it('stays what it was while nobody answers, without asking each time', async () => {
    await cache.get();
    answer = async () => Promise.reject(new Error('away'));
    nowMs = FRESH_MS;
    expect(await cache.get()).toBe('answer 1');
    expect(await cache.get()).toBe('answer 1');
    expect(asked).toBe(2);
  });

  it('is a failure where nothing was ever known, and is asked for again', async () => {
    answer = async () => Promise.reject(new Error('away'));
    await expect(cache.get()).rejects.toThrow('away');
    answer = async () => 'back';
    expect(await cache.get()).toBe('back');
  });
});
