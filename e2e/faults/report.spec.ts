import { describe, expect, it } from '@jest/globals';
import { judge } from './checker/judge.js';
import { add, goodRun, license, type MadeUpRun, ok } from './checker/made-up-run.js';
import type { Verdict } from './checker/verdict.js';
import { reportOf } from './report.js';

const reportOn = ({ history }: MadeUpRun, verdicts: readonly Verdict[]) => reportOf(7, history, verdicts, 'npm run faults -- --seed 7');
const held: Verdict = { invariant: 'I9', tried: { 'at once': 3, later: 1 }, broken: [] };

describe('reportOf', () => {
  it('is good when everything was tried and held, and says how to repeat it', () => {
    const { lines, good } = reportOn(goodRun(), [held]);
    expect(good).toBe(true);
    expect(lines[1]).toMatch(/^held +tried +4 +held +4 +broken +0 +I9 /);
    expect(lines.at(-1)).toBe('to repeat: npm run faults -- --seed 7');
  });

  it('is not good when an aspect was not tried, though nothing broke', () => {
    const { lines, good } = reportOn(goodRun(), [{ ...held, tried: { 'at once': 3, later: 0 } }]);
    expect(good).toBe(false);
    expect(lines).toContain('NOT TRIED  I9 was not tried: later');
  });

  it('is not good when a fault never struck', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'fault', name: 'broker-killed' }, ok({ struck: 0 }));
    const { lines, good } = reportOn(run, [held]);
    expect(good).toBe(false);
    expect(lines).toContain('NOT TRIED  broker-killed never struck');
  });

  it('is not good when a fault saw for itself what must not be', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'fault', name: 'graceful-stop' }, { kind: 'unknown', why: 'it ended with 1' });
    const { lines, good } = reportOn(run, [held]);
    expect(good).toBe(false);
    expect(lines).toContain('BROKEN  fault graceful-stop: it ended with 1');
  });

  it('shows the operations of what broke, and blames the fault that they overlap', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'fault', name: 'broker-killed' }, ok({ struck: 2 }), 2_000);
    add(run, 9_000, { type: 'fault', name: 'clocks' }, ok({ struck: 1 }), 100);
    const thief = add(run, 6_000, license({ deviceId: 'thief' }));
    const { lines, good } = reportOn(run, judge(run.history, run.final));
    expect(good).toBe(false);
    expect(lines.find((line) => line.includes('I8 no licence'))).toMatch(/^BROKEN/);
    expect(lines.find((line) => line.includes('fault broker-killed'))).toMatch(/^BROKEN +tried +2/);
    expect(lines.find((line) => line.includes('fault clocks'))).toMatch(/^held +tried +1/);
    expect(lines.some((line) => line.includes(`#${thief.index} `) && line.includes('"deviceId":"thief"'))).toBe(true);
  });
});
