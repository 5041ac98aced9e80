import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { presentRelease } from '../faults/system/replica.js';
import type { System } from '../faults/system/system.js';
import { marked, renameWhatThePreviousReleaseWrites } from './incompatible-change.js';
import { previousCommit, previousRelease } from './take-previous-release.js';
import { runUpgrade } from './run-upgrade.js';

const usage = `npm run upgrade-suite -- [--seed N] [--actors N] [--calm-ms N]   upgrade the previous release to this one under load, and roll back
npm run upgrade-suite -- --control   the same with a migration that the previous release cannot live with`;
const recordings = join(presentRelease.root, 'node_modules', '.cache', 'latchkey-upgrade');
/** Purchases that the previous release accepts cannot reach an end over the changed schema. */
const LOST = /^BROKEN {2}I1: purchase/;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      actors: { type: 'string', default: '6' },
      'calm-ms': { type: 'string', default: '6000' },
      control: { type: 'boolean', default: false },
    },
  });
  const [seed, actors] = [Number(values.seed), Number(values.actors)];
  if (!Number.isInteger(seed) || !Number.isInteger(actors) || actors < 1) throw new Error('--seed and --actors take whole numbers.');
  say(`the previous release is ${previousCommit()}`);
  mkdirSync(recordings, { recursive: true });
  const file = join(recordings, `seed-${seed}-${Date.now()}.jsonl`);
  const previous = await previousRelease();
  const { lines, good, prints } = await runUpgrade({
    previous: values.control ? marked(previous) : previous,
    sabotage: values.control ? renameWhatThePreviousReleaseWrites : undefined,
    seed,
    actors,
    calmMs: Number(values['calm-ms']),
    file,
    tell: say,
    onSystem: endOnSignal,
  });
  for (const line of lines) say(line);
  if (!good) {
    const log = file.replace(/jsonl$/, 'log');
    writeFileSync(log, prints);
    say(`recorded in ${file}; what the processes logged: ${log}`);
  }
  const noticed = lines.some((line) => LOST.test(line));
  if (values.control) say(noticed ? 'noticed: the suite sees what the previous release lost' : 'MISSED: the suite did not see what was lost');
  return (values.control ? noticed : good) ? 0 : 1;
}

/** A run that is stopped must not leave a dozen processes and four containers. */
function endOnSignal(system: System): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void system.close().finally(() => process.exit(130)));
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 2;
}
// Connections to servers that are gone would keep the process for ever.
process.exit();
