import { generateSigningKey } from '@latchkey/crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SigningKeys } from './signing-keys.js';

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'queueMicrotask', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

describe('a signing key in memory', () => {
  const { keyId, publicJwk } = generateSigningKey();
  const table = [{ key_id: keyId, x: publicJwk.x, y: publicJwk.y }];
  let trusted = table;
  let looks = 0;
  const dataSource = {
    query: async () => {
      looks += 1;
      return trusted;
    },
  } as unknown as DataSource;

  it('is believed for half a minute without a look at the database, and then no longer than the database says', async () => {
    const keys = new SigningKeys(dataSource);
    expect([await keys.find(keyId), await keys.find(keyId)]).toEqual([expect.anything(), expect.anything()]);
    expect(looks).toBe(1);
    trusted = [];
    jest.advanceTimersByTime(29_000);
    expect(await keys.find(keyId)).toBeDefined();
    jest.advanceTimersByTime(1_001);
    expect(await keys.find(keyId)).toBeUndefined();
    expect(looks).toBe(2);
  });
});
