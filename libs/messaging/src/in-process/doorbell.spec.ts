import { describe, expect, it } from '@jest/globals';
import { Doorbell } from './doorbell.js';

const LONG_MS = 20_000;

describe('Doorbell', () => {
  it('wakes its waiter', async () => {
    const doorbell = new Doorbell();
    const waited = doorbell.wait(LONG_MS);
    doorbell.ring();
    await waited;
  });

  it('keeps a ring that comes before the wait', async () => {
    const doorbell = new Doorbell();
    doorbell.ring();
    await doorbell.wait(LONG_MS);
  });

  it('forgets a ring when it is reset, and then waits its time', async () => {
    const doorbell = new Doorbell();
    doorbell.ring();
    doorbell.reset();
    const startedMs = performance.now();
    await doorbell.wait(40);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(38);
  });
});
