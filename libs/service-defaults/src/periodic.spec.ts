import { describe, expect, it } from '@jest/globals';
import type { Logger } from './logger.js';
import { Periodic } from './periodic.js';

describe('Periodic', () => {
  it('asks a job that works in batches to end with the one in hand, and waits for it', async () => {
    let batches = 0;
    let first: (() => void) | undefined;
    const started = new Promise<void>((resolve) => (first = resolve));
    const work = async (stopping: AbortSignal): Promise<void> => {
      while (!stopping.aborted) {
        batches += 1;
        first!();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const periodic = new Periodic('test', 60_000, work, {} as Logger);
    periodic.start();
    await started;
    await periodic.stop();
    const done = batches;
    await new Promise((resolve) => setImmediate(resolve));
    expect([done > 0, batches]).toEqual([true, done]);
  });
});
