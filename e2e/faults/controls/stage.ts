import { setTimeout as delay } from 'node:timers/promises';
import { judge } from '../checker/judge.js';
import { COPIES_LATE_MS } from '../checker/read-models.js';
import type { Verdict } from '../checker/verdict.js';
import { drain } from '../drain.js';
import type { Sample } from '../final-state.js';
import { History, nowMs } from '../history.js';
import { LiveTokenWatch } from '../live-token-watch.js';
import { Random } from '../random.js';
import { readFinalState } from '../read-final-state.js';
import { Sampler, takeBaseline } from '../sampler.js';
import type { System } from '../system/system.js';
import { noteTokenSteps } from '../token-steps.js';
import { Workload } from '../workload/workload.js';
import type { Control } from './control.js';

const SEED = 1;
/** Sabotaged systems may never drain; the good one has to. */
const DRAIN_BOUND_MS = 6_000;
const TWIN_DRAIN_BOUND_MS = 60_000;

/** What a checker said of a control. */
export interface ControlResult {
  readonly control: Control;
  /** What it found that it had not found before the control. */
  readonly found: readonly string[];
  readonly noticed: boolean;
}

/** One system on which guarantees are broken, one act after the other, and one history of it all. */
export class Stage {
  private constructor(
    private readonly system: System,
    private readonly history: History,
    private readonly workload: Workload,
    private readonly baseline: Sample,
    private readonly watch: LiveTokenWatch,
    private lastSeen: readonly Verdict[] = [],
  ) {}

  static async open(system: System): Promise<Stage> {
    const history = new History();
    await noteTokenSteps(system);
    const workload = await Workload.prepare(system, history, new Random(SEED));
    // In every history that controls are judged by there is one: outside of its time exactly-once is asked all the same.
    await history.run('nemesis', { type: 'fault', name: 'repeats events', repeatsEvents: true }, () => Promise.resolve({ kind: 'ok', value: { struck: 1 } }));
    await delay(COPIES_LATE_MS);
    return new Stage(system, history, workload, await takeBaseline(system), new LiveTokenWatch(system));
  }

  /** The same with nothing broken, which every checker has to accept. */
  async twin(): Promise<readonly Verdict[]> {
    await this.workload.tellAll(['deviceFirst', 'revocation', 'refundAfter', 'direct', 'conflict', 'expressPlay', 'upstreamOrder']);
    return this.look(TWIN_DRAIN_BOUND_MS);
  }

  /** Breaks the guarantees of an act, makes that show, and mends them again. */
  async perform(controls: readonly Control[]): Promise<readonly ControlResult[]> {
    const before = this.lastSeen;
    for (const control of controls) await control.sabotage(this.system);
    const scene = { system: this.system, workload: this.workload, actor: this.workload.lateActor('control', 'control') };
    let after: readonly Verdict[];
    try {
      await Promise.all(controls.map((control) => control.provoke(scene)));
      after = await this.look(DRAIN_BOUND_MS);
    } finally {
      // One that could not be provoked must not spoil the others.
      for (const control of controls) await control.restore(this.system);
    }
    return controls.map((control) => {
      const known = new Set(breachesOf(before, control));
      const found = breachesOf(after, control).filter((what) => !known.has(what));
      return { control, found, noticed: found.some((what) => control.finding.test(what)) };
    });
  }

  async close(): Promise<void> {
    await this.watch.stop();
    await this.workload.close();
  }

  private async look(drainBoundMs: number): Promise<readonly Verdict[]> {
    const healedMs = nowMs();
    const drainedMs = await drain(this.system, drainBoundMs);
    const samples = [await Sampler.take(this.system)];
    const { deliveries, ...read } = await readFinalState(this.system);
    const webhook = { merchantId: this.system.merchantId, deliveries, received: this.workload.receiver.received };
    const final = { ...read, webhook, healedMs, drainedMs, readMs: nowMs(), baseline: this.baseline, samples, liveTokens: this.watch.seen() };
    this.lastSeen = judge(this.history.entries(), final);
    return this.lastSeen;
  }
}

function breachesOf(verdicts: readonly Verdict[], { invariant }: Control): string[] {
  return verdicts.filter((verdict) => verdict.invariant === invariant).flatMap(({ broken }) => broken.map(({ what }) => what));
}
