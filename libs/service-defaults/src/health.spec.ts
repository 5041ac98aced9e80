import { describe, expect, it } from '@jest/globals';
import { combinedReadiness, Health } from './index.js';

function health(checks: Record<string, [required: boolean, look: () => Promise<string | undefined>]>): Health {
  const made = new Health();
  for (const [name, [required, look]] of Object.entries(checks)) made.add(name, required, look);
  return made;
}
const well = async (): Promise<undefined> => undefined;
const missing = async (): Promise<string> => 'it is away';

describe('Health', () => {
  it('is ready when everything is there', async () => {
    expect(await health({ database: [true, well], broker: [true, well] }).readiness()).toEqual({
      status: 'ready',
      checks: { database: { ok: true, required: true }, broker: { ok: true, required: true } },
    });
  });

  it('is degraded when something optional is missing, and names it', async () => {
    const readiness = await health({ database: [true, well], broker: [false, missing] }).readiness();
    expect(readiness.status).toBe('degraded');
    expect(readiness.checks['broker']).toEqual({ ok: false, required: false, detail: 'it is away' });
  });

  it('is unready when something required is missing, throws, or hangs', async () => {
    const hangs = (): Promise<undefined> => new Promise(() => undefined);
    const throws = async (): Promise<undefined> => {
      throw new RangeError('postgres://user:password@host');
    };
    for (const look of [missing, throws, hangs]) expect((await health({ database: [true, look] }).readiness()).status).toBe('unready');
    expect(JSON.stringify(await health({ database: [true, throws] }).readiness())).not.toContain('password');
  });

  it('of several services is that of the weakest', async () => {
    const parts = new Map([['cookie', health({ database: [true, well] })], ['gateway', health({ database: [true, missing] })]]);
    const readiness = await combinedReadiness(parts);
    expect(readiness.status).toBe('unready');
    expect(Object.keys(readiness.checks)).toEqual(['cookie.database', 'gateway.database']);
  });
});
