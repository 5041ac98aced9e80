import { readFileSync } from 'node:fs';
import { judge } from './checker/judge.js';
import type { FinalState } from './final-state.js';
import type { Entry } from './history.js';
import type { RunResult } from './run.js';

/** Judges a run again from its file, by the checkers as they are now. */
export function judgeAgain(file: string): RunResult {
  const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const seed = (lines.find(({ run }) => run)?.['run'] as { seed: number } | undefined)?.seed ?? 0;
  const final = lines.find((line) => line['final'])?.['final'] as FinalState | undefined;
  if (!final) throw new Error(`${file} has no final state: the run did not come to its end.`);
  const history = lines.flatMap(({ entry }) => (entry ? [entry as Entry] : [])).sort((one, other) => one.index - other.index);
  return { seed, history, final, verdicts: judge(history, final) };
}
