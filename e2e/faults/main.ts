import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readArguments, usage } from './arguments.js';
import { runControls } from './controls/run-controls.js';
import { allFaults } from './faults/all-faults.js';
import { judgeAgain } from './judge-again.js';
import { reportOf } from './report.js';
import { readied, run, type RunResult } from './run.js';
import { System } from './system/system.js';

const DRAIN_BOUND_MS = 120_000;
const CALM_MS = 4_000;
/** Out of the way of git, and of whoever looks for sources. */
const recordings = join(dirname(dirname(import.meta.dirname)), 'node_modules', '.cache', 'latchkey-faults');

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const names = allFaults.map(({ name }) => name);
  const asked = readArguments(args, names, () => Math.floor(Math.random() * 1_000_000));
  switch (asked.command) {
    case 'list':
      for (const { name, heavy } of allFaults) say(heavy ? `${name} (only here: too heavy for npm test)` : name);
      return 0;
    case 'judge':
      return report(judgeAgain(asked.file), `npm run faults -- --judge ${asked.file}`);
    case 'controls':
      return runControls(say);
    case 'run': {
      const { seed, rounds, actors, faults, realLadder } = asked;
      mkdirSync(recordings, { recursive: true });
      const file = join(recordings, `seed-${seed}-${Date.now()}.jsonl`);
      say(`seed ${seed}; recorded in ${file}`);
      const system = await System.start({ realLadder });
      endOnSignal(system);
      try {
        const chosen = allFaults.filter(({ name }) => faults?.includes(name) ?? true);
        const result = await run(system, {
          seed,
          rounds,
          actors,
          faults: readied(chosen, system),
          heal: () => system.ready(),
          drainBoundMs: DRAIN_BOUND_MS,
          calmMs: CALM_MS,
          file,
          tell: say,
        });
        const which = faults ? ` --faults ${faults.join(',')}` : '';
        const code = report(result, `npm run faults -- --seed ${seed} --rounds ${rounds} --actors ${actors}${which}${realLadder ? ' --real-ladder' : ''}`);
        if (code !== 0) keepPrints(system, file);
        return code;
      } finally {
        await system.close();
      }
    }
  }
}

/** Whoever stops a run must not be left with a dozen processes and four containers. */
function endOnSignal(system: System): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void system.close().finally(() => process.exit(130)));
  }
}

/** What the processes said is needed to understand what broke, and is too much to print. */
function keepPrints(system: System, file: string): void {
  const prints = file.replace(/jsonl$/, 'log');
  writeFileSync(prints, system.prints());
  say(`what the processes logged: ${prints}`);
}

function report({ seed, history, verdicts }: RunResult, repeat: string): number {
  const { lines, good } = reportOf(seed, history, verdicts, repeat);
  for (const line of lines) say(line);
  return good ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 2;
}
// Connections that hang because a fault hung them would keep the process for ever.
process.exit();
