import { Footprints } from './footprints.js';
import { type PooledSource, gateConnections, type Rewrite, setRewrite } from './gate.js';
import { LockWatcher } from './locks.js';
import { type Choose, runSchedule, type ScheduleRun, type Work } from './run-schedule.js';
import { formatSchedule, parseSchedule, type Schedule, SCHEDULE_VARIABLE } from './schedule.js';

/** One world in which a schedule runs: its participants, and what must be true when they have ended. */
export interface World {
  readonly work: Work;
  /** What is wrong with the end state, one sentence each. */
  judge(results: ReadonlyMap<string, PromiseSettledResult<unknown>>): Promise<readonly string[]>;
}

/** Transactions that meet. `prepare` makes a fresh world for each schedule, with ids that no other schedule uses. */
export interface Scenario {
  readonly name: string;
  prepare(): Promise<World>;
}

/** How far an exploration goes. */
export interface Bounds {
  /** How often a schedule may leave a participant that could go on. */
  readonly preemptionsMax: number;
  /** How many schedules are tried at most before the random ones. */
  readonly schedulesMax: number;
  /** How many random schedules follow. */
  readonly randomCount: number;
  readonly seed: number;
}

/** A schedule whose end state is wrong. */
export interface BrokenSchedule {
  readonly schedule: Schedule;
  readonly breaches: readonly string[];
  /** The schedule, its breaches and every step, as text. */
  readonly report: string;
}

/** What an exploration found. */
export interface Exploration {
  readonly schedules: number;
  /** Whether every order within the bound of preemptions was tried. */
  readonly complete: boolean;
  readonly broken?: BrokenSchedule;
}

/** Runs scenarios of one database in many orders. */
export class Explorer {
  private constructor(
    private readonly locks: LockWatcher,
    private readonly tables: readonly string[],
    private readonly sharedNothing: readonly string[],
  ) {}

  /**
   * Opens an explorer on a database whose service is running. `sources` are the data sources that its transactions
   * use, and `sharedNothing` the tables in which participants never write the same rows (the outbox, usually).
   */
  static async open(
    databaseUrl: string,
    sources: readonly PooledSource[],
    sharedNothing: readonly string[] = ['outbox_events'],
  ): Promise<Explorer> {
    for (const source of sources) gateConnections(source);
    const locks = await LockWatcher.open(databaseUrl);
    return new Explorer(locks, await locks.tables(), sharedNothing);
  }

  close(): Promise<void> {
    return this.locks.close();
  }

  /**
   * Tries the orders of a scenario until one breaks it: first every order with at most so many preemptions, fewer
   * first, and then random ones. `LATCHKEY_SCHEDULE` replays a single one instead.
   */
  async explore(scenario: Scenario, bounds: Bounds, rewrite?: Rewrite): Promise<Exploration> {
    const replayed = process.env[SCHEDULE_VARIABLE];
    if (replayed) return this.replay(scenario, parseSchedule(replayed), rewrite);
    const footprints = new Footprints(this.tables, this.sharedNothing);
    let schedules = 0;
    let waiting: Schedule[] = [[]];
    for (let preemptions = 0; preemptions <= bounds.preemptionsMax; preemptions += 1) {
      // Those with one preemption more branch off from the schedules of this round.
      const costlier: Schedule[] = [];
      while (waiting.length > 0) {
        if (schedules >= bounds.schedulesMax) break;
        const prefix = waiting.pop()!;
        const { run, broken } = await this.try(scenario, follow(prefix), rewrite);
        schedules += 1;
        for (const { participant, sql } of run.steps) footprints.note(participant, sql);
        if (broken) return { schedules, complete: false, broken };
        branch(run, prefix.length, footprints, waiting, costlier);
      }
      if (waiting.length > 0) break;
      waiting = costlier;
      if (preemptions === bounds.preemptionsMax || costlier.length === 0)
        return this.exploreRandom(scenario, bounds, { schedules, complete: true }, rewrite);
    }
    return this.exploreRandom(scenario, bounds, { schedules, complete: false }, rewrite);
  }

  /** Runs one schedule. Where a participant cannot go on as the schedule says, the first that can goes on. */
  async replay(scenario: Scenario, schedule: Schedule, rewrite?: Rewrite): Promise<Exploration> {
    const { broken } = await this.try(scenario, follow(schedule), rewrite);
    return { schedules: 1, complete: false, broken };
  }

  private async exploreRandom(
    scenario: Scenario,
    { randomCount, seed }: Bounds,
    done: Exploration,
    rewrite?: Rewrite,
  ): Promise<Exploration> {
    const random = randomOf(seed);
    for (let count = 1; count <= randomCount; count += 1) {
      const { broken } = await this.try(scenario, (ready) => ready[Math.floor(random() * ready.length)]!, rewrite);
      if (broken) return { schedules: done.schedules + count, complete: false, broken };
    }
    return { ...done, schedules: done.schedules + randomCount };
  }

  private async try(
    scenario: Scenario,
    choose: Choose,
    rewrite?: Rewrite,
  ): Promise<{ run: ScheduleRun; broken?: BrokenSchedule }> {
    const { work, judge } = await scenario.prepare();
    setRewrite(rewrite);
    // A transaction that begins again pauses for a random time, which no schedule could repeat.
    const { random } = Math;
    Math.random = () => 0;
    let run: ScheduleRun;
    try {
      run = await runSchedule(work, this.locks, choose);
    } finally {
      Math.random = random;
      setRewrite();
    }
    const breaches = await judge(run.results);
    return { run, broken: breaches.length > 0 ? brokenOf(scenario.name, run, breaches) : undefined };
  }
}

/** Follows a schedule, and after its end lets each participant go on as long as it can. */
function follow(schedule: Schedule): Choose {
  return (ready, last, index) => {
    const wanted = schedule[index];
    if (wanted !== undefined && ready.includes(wanted)) return wanted;
    return last && ready.includes(last.participant) ? last.participant : ready[0]!;
  };
}

/** Adds the schedules that leave a run at a choice point after its prefix. */
function branch(
  run: ScheduleRun,
  prefixLength: number,
  footprints: Footprints,
  free: Schedule[],
  costlier: Schedule[],
): void {
  const schedule = run.points.map(({ chosen }) => chosen);
  for (const [index, { ready, chosen, last }] of run.points.entries()) {
    if (index < prefixLength) continue;
    const preempts = last !== undefined && ready.includes(last.participant);
    if (preempts && footprints.isLocal(last.participant, last.sql)) continue;
    for (const other of ready) {
      if (other !== chosen) (preempts ? costlier : free).push([...schedule.slice(0, index), other]);
    }
  }
}

function brokenOf(name: string, { steps }: ScheduleRun, breaches: readonly string[]): BrokenSchedule {
  const schedule = steps.map(({ participant }) => participant);
  const lines = steps.map(
    ({ participant, sql }, index) =>
      `  ${index + 1}. ${participant}: ${sql.replaceAll(/\s+/g, ' ').trim().slice(0, 110)}`,
  );
  const report = [
    `${name} breaks:`,
    ...breaches.map((breach) => `  ${breach}`),
    `${SCHEDULE_VARIABLE}="${formatSchedule(schedule)}"`,
    ...lines,
  ].join('\n');
  return { schedule, breaches, report };
}

/** A small generator with a seed (mulberry32), so that random schedules can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
