/** One measurement of one side (floor or product) in one round. */
export interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU microseconds per operation, by process. */
  readonly cpuMicroseconds: Readonly<Record<string, number>>;
}

/** The value below which the share `quantile` (0 to 1) of the values lies; NaN for none. */
export function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? NaN;
}

/** The middle value of each figure over all rounds. */
export function medianOf(rounds: readonly Measurement[]): Measurement {
  const median = (value: (round: Measurement) => number): number => quantileOf(rounds.map(value), 0.5);
  const names = new Set(rounds.flatMap(({ cpuMicroseconds }) => Object.keys(cpuMicroseconds)));
  return {
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    cpuMicroseconds: Object.fromEntries(
      [...names].map((name) => [name, median(({ cpuMicroseconds }) => cpuMicroseconds[name] ?? 0)]),
    ),
  };
}

/** CPU microseconds per operation over all processes. */
export function totalCpu({ cpuMicroseconds }: Measurement): number {
  return Object.values(cpuMicroseconds).reduce((sum, each) => sum + each, 0);
}
