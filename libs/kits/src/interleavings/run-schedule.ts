import type { LockWatcher } from './locks.js';
import { Participant, type Statement } from './participant.js';

/** The work of each participant, by its name. */
export type Work = Readonly<Record<string, () => Promise<unknown>>>;

/** A statement that was released. */
export interface Step {
  readonly participant: string;
  readonly sql: string;
}

/** A moment at which the scheduler had a choice. */
export interface ChoicePoint {
  /** Participants whose next statement could be released, in a fixed order. */
  readonly ready: readonly string[];
  readonly chosen: string;
  /** Whose statement ran last, and its text. */
  readonly last: Step | undefined;
}

/** What became of a schedule. */
export interface ScheduleRun {
  readonly steps: readonly Step[];
  readonly points: readonly ChoicePoint[];
  readonly results: ReadonlyMap<string, PromiseSettledResult<unknown>>;
}

/** Chooses whose statement is released next. `index` counts the steps from 0. */
export type Choose = (ready: readonly string[], last: Step | undefined, index: number) => string;

/** How long a participant may compute between two statements; past it something waits for what the gate keeps. */
const STUCK_MS = 60_000;
const IDLE_TURNS = 200;

/**
 * Runs all participants at once and releases one statement at a time. Each time it waits until every participant has a
 * next statement, waits for a lock, or has ended; so the order of the statements is the choice of `choose` and of
 * nothing else.
 */
export async function runSchedule(work: Work, locks: LockWatcher, choose: Choose): Promise<ScheduleRun> {
  const participants = Object.keys(work).map((name) => new Participant(name));
  const steps: Step[] = [];
  const points: ChoicePoint[] = [];
  for (const participant of participants) participant.start(work[participant.name]!);
  for (;;) {
    await untilQuiet(participants, locks);
    const ready = participants.filter(({ next, ended }) => !ended && next !== undefined);
    if (ready.length === 0) {
      if (participants.every(({ ended }) => ended)) break;
      // All that is left waits for each other's locks: PostgreSQL finds the deadlock and fails one of them.
      await turn(IDLE_TURNS);
      continue;
    }
    const names = ready.map(({ name }) => name);
    const last = steps.at(-1);
    const chosen = choose(names, last, steps.length);
    points.push({ ready: names, chosen, last });
    const { sql } = ready.find(({ name }) => name === chosen)!.release();
    steps.push({ participant: chosen, sql });
  }
  return { steps, points, results: new Map(participants.map(({ name, result }) => [name, result])) };
}

/** Waits until no participant computes, and every statement that was sent is answered or waits for a lock. */
async function untilQuiet(participants: readonly Participant[], locks: LockWatcher): Promise<void> {
  const startedAt = performance.now();
  for (let turns = 0; ; turns += 1) {
    const busy = participants.filter(({ ended, next }) => !ended && next === undefined);
    if (busy.length === 0) return;
    const executing = busy.flatMap((participant) => participant.executing);
    const computes = busy.some((participant) => participant.executing.length === 0);
    if (!computes) {
      const blocked = await locks.blocked(executing.map(({ pid }) => pid));
      const stillBusy = participants.flatMap((participant) => participant.executing);
      if (sameStatements(executing, stillBusy) && executing.every(({ pid }) => blocked.has(pid))) return;
    }
    if (performance.now() - startedAt > STUCK_MS)
      throw new Error(`participants wait for what no schedule releases: ${busy.map(({ name }) => name).join(', ')}`);
    await turn(turns);
  }
}

function sameStatements(one: readonly Statement[], other: readonly Statement[]): boolean {
  return one.length === other.length && one.every((statement) => other.includes(statement));
}

/** Lets other code run; after many turns without burning the processor, which a retry's pause would do. */
function turn(turns: number): Promise<void> {
  return new Promise((resolve) => (turns < IDLE_TURNS ? setImmediate(resolve) : setTimeout(resolve, 1)));
}
