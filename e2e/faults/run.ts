import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { judge } from './checker/judge.js';
import type { Verdict } from './checker/verdict.js';
import { drain } from './drain.js';
import type { FinalState } from './final-state.js';
import { type Entry, History, nowMs } from './history.js';
import { Random } from './random.js';
import { readFinalState } from './read-final-state.js';
import { LiveTokenWatch } from './live-token-watch.js';
import { Sampler, takeBaseline } from './sampler.js';
import type { System } from './system/system.js';
import type { Fault } from './faults/fault.js';
import { within } from './faults/pause.js';
import type { Target } from './system/target.js';
import { noteTokenSteps } from './token-steps.js';
import { Workload } from './workload/workload.js';

const COUNTED_AFTER_MS = 2_300;
const COPIES_HANDLED_MS = 60_000;
/** What actors cause while they work. */
const FEW = 10;

/** A fault that knows whom it hurts. */
export interface ReadyFault {
  readonly name: string;
  readonly repeatsEvents?: boolean;
  strike(random: Random, history: History): Promise<number>;
}

/** Faults that hurt this system. */
export function readied(faults: readonly Fault[], system: System): readonly ReadyFault[] {
  return faults.map((fault) => ({
    name: fault.name,
    repeatsEvents: fault.repeatsEvents,
    strike: (random, history) => fault.strike(system, random, history),
  }));
}

/** What a run is made of. The same seed, rounds, actors and faults make the same schedule. */
export interface RunOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly actors: number;
  readonly faults: readonly ReadyFault[];
  /** Whether faults strike as they are listed, and not in an order that the seed decides. */
  readonly inOrder?: boolean;
  /** Resolves when everything that was hurt is up again. */
  readonly heal: () => Promise<void>;
  /** How long everything may be under way after healing. */
  readonly drainBoundMs: number;
  /** How long actors work before the first fault, between two, and after the last. */
  readonly calmMs: number;
  /** Names of stories; all where not told. */
  readonly stories?: readonly string[];
  /** JSON lines of everything, for judging again. */
  readonly file?: string;
  readonly tell?: (line: string) => void;
}

/** A run that is over. */
export interface RunResult {
  readonly seed: number;
  readonly history: readonly Entry[];
  readonly final: FinalState;
  readonly verdicts: readonly Verdict[];
}

/** In which order the faults strike, each once a round. */
export function scheduleOf<F>(faults: readonly F[], rounds: number, random: Random): readonly F[] {
  return Array.from({ length: rounds }, () => random.shuffle(faults)).flat();
}

/** Sets actors to work, hurts the system by the schedule, lets it heal, and judges what was seen. */
export async function run(target: Target, options: RunOptions): Promise<RunResult> {
  const { seed, file, tell = () => undefined } = options;
  const random = new Random(seed);
  const history = new History(file);
  const shuffled = scheduleOf(options.faults, options.rounds, random.fork('schedule'));
  const schedule = options.inOrder ? options.faults : shuffled;
  note(file, { run: { seed, rounds: options.rounds, actors: options.actors, schedule: schedule.map(({ name }) => name) } });
  await noteTokenSteps(target);
  const workload = await Workload.prepare(target, history, random.fork('workload'));
  const baseline = await takeBaseline(target);
  const sampler = new Sampler(target);
  const watch = new LiveTokenWatch(target);
  try {
    workload.start(options.actors, options.stories);
    await delay(options.calmMs);
    for (const [nth, fault] of schedule.entries()) {
      tell(`${nth + 1}/${schedule.length} ${fault.name}`);
      await hurt(fault, random.fork(`${nth} ${fault.name}`), history, () => healed(target, fault, options.heal));
      await delay(options.calmMs);
    }
    await options.heal();
    const healedMs = nowMs();
    await workload.end();
    const calmMs = await drain(target, options.drainBoundMs);
    tell(calmMs === null ? 'not drained within the bound' : 'drained; telling every story once in quiet, then the last calls');
    if (calmMs !== null) await workload.tellAll(options.stories);
    await workload.lastCalls();
    const drainedMs = calmMs === null ? null : await drain(target, options.drainBoundMs).then((again) => (again === null ? null : calmMs));
    sampler.samples.push(await Sampler.take(target));
    const { deliveries, ...read } = await readFinalState(target);
    const webhook = { merchantId: target.merchantId, deliveries, received: workload.receiver.received };
    const final: FinalState = { ...read, webhook, healedMs, drainedMs, readMs: nowMs(), baseline, samples: sampler.stop(), liveTokens: watch.seen() };
    note(file, { final });
    const entries = history.entries();
    return { seed, history: entries, final, verdicts: judge(entries, final) };
  } finally {
    sampler.stop();
    await watch.stop();
    await workload.close();
  }
}

/** Copies that a fault has published stand in queues for a while, and belong to the time of the fault. */
async function healed(target: Target, { repeatsEvents }: ReadyFault, heal: () => Promise<void>): Promise<void> {
  await heal();
  if (!repeatsEvents) return;
  // The management API counts once a second.
  await delay(COUNTED_AFTER_MS);
  await within(COPIES_HANDLED_MS, async () => {
    const queues = (await target.queues()).filter(({ name }) => /\.(?:in$|retry\.)/.test(name));
    return queues.every(({ messages, unacknowledged }) => messages + unacknowledged <= FEW);
  });
}

/** From the first hurt until all is up again is one entry: within it nothing can be asked to bite within a second. */
async function hurt(fault: ReadyFault, random: Random, history: History, heal: () => Promise<void>): Promise<void> {
  await history.run('nemesis', { type: 'fault', name: fault.name, repeatsEvents: fault.repeatsEvents }, async () => {
    const struck = await fault.strike(random, history).finally(heal);
    return { kind: 'ok', value: { struck } };
  });
}

function note(file: string | undefined, line: unknown): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
}
