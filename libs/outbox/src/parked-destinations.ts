import type { ServiceName } from '@latchkey/contracts';

/** Where rows of the outbox go: an event type, as the original or as the copy for one service. */
export interface Destination {
  readonly type: string;
  readonly copyFor: ServiceName | undefined;
}

/** A destination that takes nothing at present. */
interface Parked extends Destination {
  probeAtMs: number;
  probes: number;
  reportAtMs: number;
}

const PROBE_MS_FIRST = 500;
/** Small enough that what waited goes out within ten seconds of the moment when the destination takes messages again. */
const PROBE_MS_MAX = 4_000;
const REPORT_EVERY_MS = 60_000;

/**
 * The destinations that are unroutable or refused. They are kept in memory, not in the database: each replica finds out with
 * one batch, and a replica that starts again must not believe what was true before. Times are of a monotonic clock.
 */
export class ParkedDestinations {
  private readonly parked = new Map<string, Parked>();

  /** How many there are. */
  get size(): number {
    return this.parked.size;
  }

  /** All of them. */
  all(): readonly Destination[] {
    return [...this.parked.values()];
  }

  /** Those of which one row may be tried now. */
  due(nowMs: number): readonly Destination[] {
    return [...this.parked.values()].filter(({ probeAtMs }) => probeAtMs <= nowMs);
  }

  /** When the next one may be tried, or undefined if none is parked. */
  nextProbeMs(): number | undefined {
    if (this.parked.size === 0) return undefined;
    return Math.min(...[...this.parked.values()].map(({ probeAtMs }) => probeAtMs));
  }

  /** Parks a destination that took nothing, or leaves it parked for longer. Answers whether that is to be reported now. */
  park(destination: Destination, nowMs: number): boolean {
    const key = keyOf(destination);
    const one = this.parked.get(key) ?? { ...destination, probeAtMs: nowMs, probes: 0, reportAtMs: nowMs };
    one.probeAtMs = nowMs + Math.min(PROBE_MS_MAX, PROBE_MS_FIRST * 2 ** one.probes);
    one.probes += 1;
    this.parked.set(key, one);
    if (nowMs < one.reportAtMs) return false;
    one.reportAtMs = nowMs + REPORT_EVERY_MS;
    return true;
  }

  /** Takes a destination back that has taken a message. Answers whether it was parked. */
  release(destination: Destination): boolean {
    return this.parked.delete(keyOf(destination));
  }
}

function keyOf({ type, copyFor }: Destination): string {
  return JSON.stringify([type, copyFor ?? null]);
}
