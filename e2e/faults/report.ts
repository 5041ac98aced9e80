import { entriesOf } from './checker/reading.js';
import { type Breach, invariants, notTried, triedInAll, type Verdict } from './checker/verdict.js';
import type { Entry } from './history.js';

/** What is printed of a run. */
export interface Report {
  readonly lines: readonly string[];
  /** Nothing broke, and everything that was to be tried was tried. */
  readonly good: boolean;
}

const BREACHES_SHOWN_MAX = 8;

/**
 * A line for each invariant and each fault: tried, held, broken; then what was broken, by which operations. An aspect of
 * an invariant that was never put to the test, or a fault that never struck, spoils the run as well: a checker that had
 * nothing to check has proved nothing.
 */
export function reportOf(seed: number, history: readonly Entry[], verdicts: readonly Verdict[], repeat: string): Report {
  const strikes = strikesOf(history, verdicts.flatMap(({ broken }) => broken));
  const failed = strikes.flatMap(({ name, failures }) => failures.map((why) => `BROKEN  fault ${name}: ${why}`));
  const idle = strikes.filter(({ struck, failures }) => struck === 0 && failures.length === 0).map(({ name }) => `${name} never struck`);
  const untried = verdicts.flatMap((verdict) => notTried(verdict).map((aspect) => `${verdict.invariant} was not tried: ${aspect}`));
  const broken = verdicts.flatMap((verdict) => verdict.broken.map((breach) => ({ ...breach, invariant: verdict.invariant })));
  const lines = [
    `seed ${seed}: ${history.length} operations`,
    ...verdicts.map((verdict) => lineOf(`${verdict.invariant} ${invariants[verdict.invariant]}`, triedInAll(verdict), verdict.broken.length)),
    ...strikes.map(({ name, struck, failures, breaches }) => lineOf(`fault ${name}`, struck + failures.length, breaches + failures.length)),
    ...[...untried, ...idle].map((what) => `NOT TRIED  ${what}`),
    ...failed,
    ...broken.slice(0, BREACHES_SHOWN_MAX).flatMap(({ invariant, what, entries }) => [`BROKEN  ${invariant}: ${what}`, ...shown(entries, history)]),
    ...(broken.length > BREACHES_SHOWN_MAX ? [`… and ${broken.length - BREACHES_SHOWN_MAX} more`] : []),
    `to repeat: ${repeat}`,
  ];
  return { lines, good: broken.length === 0 && failed.length === 0 && untried.length === 0 && idle.length === 0 };
}

function lineOf(what: string, tried: number, broken: number): string {
  const word = broken > 0 ? 'BROKEN' : tried > 0 ? 'held' : 'not tried';
  return `${word.padEnd(9)}  tried ${String(tried).padStart(5)}  held ${String(Math.max(0, tried - broken)).padStart(5)}  broken ${String(broken).padStart(3)}  ${what}`;
}

/** How often each fault struck, and how many breaches have an operation that began before the fault was over and ended after its start. */
function strikesOf(history: readonly Entry[], breaches: readonly Breach[]) {
  const byIndex = new Map(history.map((entry) => [entry.index, entry]));
  const faults = new Map<string, { name: string; struck: number; failures: string[]; breaches: number }>();
  for (const { operation, outcome, startedMs, endedMs } of entriesOf(history, 'fault')) {
    const fault = faults.get(operation.name) ?? { name: operation.name, struck: 0, failures: [], breaches: 0 };
    if (outcome.kind === 'ok') fault.struck += Number(outcome.value['struck']);
    // A fault that throws has seen what must not be, such as a clean stop that was none.
    else fault.failures.push(outcome.kind === 'unknown' ? outcome.why : outcome.code);
    fault.breaches += breaches.filter(({ entries }) =>
      entries.some((index) => byIndex.get(index)!.startedMs <= endedMs && byIndex.get(index)!.endedMs >= startedMs),
    ).length;
    faults.set(operation.name, fault);
  }
  return [...faults.values()].sort((one, other) => one.name.localeCompare(other.name));
}

function shown(entries: readonly number[], history: readonly Entry[]): string[] {
  return history
    .filter(({ index }) => entries.includes(index))
    .map(({ index, actor, startedMs, endedMs, operation, outcome }) => {
      const from = new Date(startedMs).toISOString().slice(11, 23);
      return `          #${index} ${from} +${Math.round(endedMs - startedMs)} ms ${actor} ${JSON.stringify(operation)} → ${JSON.stringify(outcome)}`;
    });
}
