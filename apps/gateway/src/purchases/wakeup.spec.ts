import { describe, expect, it } from '@jest/globals';
import { Wakeup } from './wakeup.js';

const LONG_MS = 60_000;

describe('a sleep', () => {
  it('ends after its time', async () => {
    await expect(new Wakeup().sleep(1)).resolves.toBeUndefined();
  });

  it('ends when woken', async () => {
    const wakeup = new Wakeup();
    const sleep = wakeup.sleep(LONG_MS);
    wakeup.wake();
    await expect(sleep).resolves.toBeUndefined();
  });

  it('does not begin where a wake came before it, however many came', async () => {
    const wakeup = new Wakeup();
    wakeup.wake();
    wakeup.wake();
    await wakeup.sleep(LONG_MS);
    let slept = false;
    const next = wakeup.sleep(20).then(() => (slept = true));
    await Promise.resolve();
    expect(slept).toBe(false);
    await next;
  });
});
