import { describe, expect, it } from '@jest/globals';
import { type Measurement, medianOf, quantileOf, totalCpu } from './figures.js';

const round = (perSecond: number, cpuMicroseconds: Record<string, number>): Measurement => ({
  perSecond,
  p50Ms: perSecond / 10,
  p99Ms: perSecond / 5,
  cpuMicroseconds,
});

describe('quantileOf', () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[3, 1, 2], 0, 1],
    [[3, 1, 2], 0.99, 3],
    [[7], 0.5, 7],
    [[], 0.5, NaN],
  ])('finds in %j at %d the value %d', (values, quantile, expected) => {
    expect(quantileOf(values, quantile)).toBe(expected);
  });
});

describe('medianOf', () => {
  it('takes the middle of each figure, and counts a process that did nothing in a round as zero', () => {
    const median = medianOf([round(100, { server: 10 }), round(300, { server: 30, broker: 4 }), round(200, { server: 20 })]);
    expect(median).toEqual({ perSecond: 200, p50Ms: 20, p99Ms: 40, cpuMicroseconds: { server: 20, broker: 0 } });
    expect(totalCpu(median)).toBe(20);
  });
});
