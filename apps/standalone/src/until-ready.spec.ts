import { describe, expect, it } from '@jest/globals';
import type { Readiness } from '@latchkey/service-defaults';
import { untilReady } from './until-ready.js';

const unready = (name: string, detail: string): Readiness => ({
  status: 'unready',
  checks: { 'cookie.database': { ok: true, required: true }, [name]: { ok: false, required: true, detail } },
});
const ready: Readiness = { status: 'ready', checks: {} };

/** What is said while the readiness is one of these after the other. */
async function said(...states: readonly Readiness[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const left = [...states];
  expect(await untilReady(async () => left.shift()!, (line) => lines.push(line), new AbortController().signal)).toBe(true);
  expect(left).toEqual([]);
  return lines;
}

describe('untilReady', () => {
  it('says nothing when everything is there', async () => {
    expect(await said(ready)).toEqual([]);
  });

  it('names the variable of what is away, once, and again when that changes', async () => {
    const broker = unready('cookie.broker', 'the broker is down');
    const lines = await said(broker, broker, unready('cookie.database', 'refused'), broker, ready);
    expect(lines.map((line) => /AMQP_URL|DATABASE_URL/.exec(line)?.[0])).toEqual(['AMQP_URL', 'DATABASE_URL', 'AMQP_URL']);
  });

  it('says what else is missing when it lasts, and not at every start', async () => {
    const key = unready('token-issuer.signing-key', 'not held yet');
    expect(await said(...Array.from({ length: 19 }, () => key), ready)).toEqual([]);
    expect(await said(...Array.from({ length: 40 }, () => key), ready)).toEqual(['Waiting: token-issuer.signing-key: not held yet …']);
  });

  it('ends when it is stopped, and is not ready then', async () => {
    const stop = new AbortController();
    const waiting = untilReady(async () => unready('cookie.broker', 'down'), () => stop.abort(), stop.signal);
    expect(await waiting).toBe(false);
  });
});
