import { describe, expect, it } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import type { Logger } from '@latchkey/service-defaults';
import type { LeasedRow } from './leased-rows.js';
import type { CircuitLevel, UpstreamAccount } from './upstream-account.js';
import { UpstreamJobs, type UpstreamWork } from './upstream-jobs.js';

const warnings: unknown[] = [];
const logger = { warn: (...line: unknown[]) => warnings.push(line) } as unknown as Logger;

interface FakeAccount {
  level: CircuitLevel;
  readonly provider: { readonly merchantId: string; readonly timeoutMs: number };
}
const accountOf = (merchantId: string, level: CircuitLevel = 0): FakeAccount => ({ level, provider: { merchantId, timeoutMs: 2_000 } });

/** Work of which there is so much for each merchant. */
function workOf(left: Record<string, number>, perform: UpstreamWork['perform']): UpstreamWork & { claims: { merchantId: string; limit: number; leaseSeconds: number }[] } {
  const claims: { merchantId: string; limit: number; leaseSeconds: number }[] = [];
  return {
    claims,
    claim: async (merchantId, limits) => {
      claims.push({ merchantId, ...limits });
      const count = Math.min(left[merchantId]!, limits.limit);
      left[merchantId]! -= count;
      return Array.from({ length: count }, (_, index): LeasedRow => ({ merchantId, id: String(index), leaseId: 'lease', attempt: 1, lastFailure: null }));
    },
    perform,
  };
}

async function running(accounts: FakeAccount[], work: UpstreamWork, check: () => Promise<void>): Promise<void> {
  const jobs = new UpstreamJobs('test', accounts as unknown as UpstreamAccount[], work, logger);
  jobs.start();
  await check();
  await jobs.stop();
}

describe('jobs of providers', () => {
  it('end what is under way when they are stopped, and begin no more of it', async () => {
    let stopped: Promise<void> | undefined;
    const work = workOf({ acme: 1_000 }, async () => void (stopped ??= jobs.stop()));
    const jobs = new UpstreamJobs('test', [accountOf('acme')] as unknown as UpstreamAccount[], work, logger);
    jobs.start();
    await eventually(() => expect(stopped).toBeDefined());
    await stopped;
    expect(work.claims).toHaveLength(1);
  });

  it('take what is due until nothing is left', async () => {
    let done = 0;
    const work = workOf({ acme: 19 }, async () => void (done += 1));
    await running([accountOf('acme')], work, () => eventually(() => expect(done).toBe(19)));
    expect(work.claims.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => ({ merchantId: 'acme', limit: 8, leaseSeconds: 22 })));
  });

  it('take one alone while the provider is not asked, and leave the others due', async () => {
    const performed: string[] = [];
    const work = workOf({ acme: 19 }, async (_, { id }) => void performed.push(id));
    await running([accountOf('acme', 2)], work, () => eventually(() => expect(performed).toEqual(['0'])));
    expect(work.claims.map(({ limit }) => limit)).toEqual([1]);
  });

  it('do not wait for each other', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const performed: string[] = [];
    const work = workOf({ slow: 8, acme: 1 }, async (account) => (account.provider.merchantId === 'slow' ? held : void performed.push('acme')));
    await running([accountOf('slow'), accountOf('acme')], work, async () => {
      await eventually(() => expect(performed).toEqual(['acme']));
      release();
    });
  });

  it('go on after what failed, and tell no id', async () => {
    const performed: string[] = [];
    const work = workOf({ acme: 2 }, async (_, { id }) => {
      performed.push(id);
      if (id === '0') throw new Error('away');
    });
    await running([accountOf('acme')], work, () => eventually(() => expect(performed).toEqual(['0', '1'])));
    expect(warnings).toEqual([['what is done with a provider failed', { job: 'test', merchantId: 'acme' }, expect.any(Error)]]);
  });
});
