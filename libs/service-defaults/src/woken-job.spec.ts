import { describe, expect, it } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { remainingMs, withDeadline } from '@latchkey/messaging';
import type { Logger } from './logger.js';
import { WokenJob } from './woken-job.js';

const LONG_MS = 60_000;
const warnings: string[] = [];
const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

/** A job whose runs end when told. */
function controlled(idleMs = LONG_MS): { job: WokenJob; runs: () => number; end: () => void; fail: () => void } {
  let runs = 0;
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const job = new WokenJob(
    'test',
    idleMs,
    () => {
      runs += 1;
      return new Promise((resolve, reject) => (settle = { resolve, reject }));
    },
    logger,
  );
  return { job, runs: () => runs, end: () => settle!.resolve(), fail: () => settle!.reject(new Error('away')) };
}
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a job that is woken', () => {
  it('runs one at a time, and once more for all the wakes that came while it ran', async () => {
    const { job, runs, end } = controlled();
    job.start();
    job.wake();
    job.wake();
    expect(runs()).toBe(1);
    end();
    await tick();
    expect(runs()).toBe(2);
    end();
    await tick();
    expect(runs()).toBe(2);
    job.wake();
    expect(runs()).toBe(3);
    end();
    await job.stop();
  });

  it('loses no wake, however shortly after the end of a run', async () => {
    for (let later = 0; later < 8; later += 1) {
      const { job, runs, end } = controlled();
      job.start();
      end();
      for (let turn = 0; turn < later; turn += 1) await Promise.resolve();
      job.wake();
      await eventually(() => expect(runs()).toBe(2));
      end();
      await job.stop();
    }
  });

  it('does not take over the deadline of a request that woke it', async () => {
    const seen: (number | undefined)[] = [];
    const job = new WokenJob('test', 5, async () => void seen.push(remainingMs()), logger);
    withDeadline(Date.now(), () => job.start());
    await eventually(() => expect(seen.length).toBeGreaterThan(2));
    withDeadline(Date.now(), () => job.wake());
    const before = seen.length;
    await eventually(() => expect(seen.length).toBeGreaterThan(before + 2));
    await job.stop();
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it('runs when it was idle for long enough', async () => {
    const { job, runs, end } = controlled(5);
    job.start();
    end();
    await eventually(() => expect(runs()).toBe(2));
    end();
    await job.stop();
  });

  it('rests after a failure, and goes on', async () => {
    const { job, runs, fail, end } = controlled(1);
    job.start();
    job.wake();
    fail();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(runs()).toBe(1);
    expect(warnings).toEqual(['a job failed']);
    job.wake();
    expect(runs()).toBe(2);
    end();
    await job.stop();
  });

  it('is over when stopped, not before its run is, and may be started again', async () => {
    const { job, runs, end } = controlled();
    job.start();
    job.wake();
    let stopped = false;
    const stopping = job.stop().then(() => (stopped = true));
    await tick();
    expect(stopped).toBe(false);
    end();
    await stopping;
    job.wake();
    expect(runs()).toBe(1);
    job.start();
    expect(runs()).toBe(2);
    end();
    await job.stop();
  });
});
