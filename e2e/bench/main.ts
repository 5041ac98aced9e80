// `npm run bench`: the product beside its floors, interleaved, with medians over several rounds. See docs/performance.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BenchSystem } from './bench-system.js';
import { type Measurement, medianOf } from './figures.js';
import { openPaths, type Path, type Volume } from './paths.js';
import { type Comparison, tableOf } from './report.js';
import { startServers } from './servers.js';

const usage = `npm run bench -- [--rounds N] [--only text] [--short] [--json file]
  --rounds N   rounds of floor and product, interleaved (5)
  --only text  the paths whose name has this text
  --short      little load and one round: shows that the bench works, and measures nothing
  --json file  writes every measurement of every round`;

const FULL: Volume = { licenses: 6_000, purchases: 4_000, steadySeconds: 10 };
const SHORT: Volume = { licenses: 200, purchases: 200, steadySeconds: 1 };

async function compare(path: Path, rounds: number): Promise<Comparison> {
  const floor: Measurement[] = [];
  const product: Measurement[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // The order changes each time, so that what drifts on the machine meets both.
    const sides = [async () => floor.push(await path.floor()), async () => product.push(await path.product())];
    for (const side of round % 2 === 0 ? sides : sides.reverse()) await side();
    process.stderr.write(`${path.name}: round ${round + 1} of ${rounds}\n`);
  }
  return { name: path.name, rounds: { floor, product }, floor: medianOf(floor), product: medianOf(product) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
      short: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const rounds = values.short ? 1 : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError(`--rounds takes a whole number from 1, not ${values.rounds}`);
  const servers = await startServers();
  try {
    const system = await BenchSystem.start(servers, values.short ? 8 : 200);
    try {
      const { paths, close } = await openPaths(system, values.short ? SHORT : FULL);
      // Once unmeasured: compiled code, filled pools and prepared statements are what a running service has.
      for (const path of paths.filter(({ name }) => name.includes(values.only))) await compare(path, 1);
      const comparisons: Comparison[] = [];
      for (const path of paths.filter(({ name }) => name.includes(values.only))) comparisons.push(await compare(path, rounds));
      await close();
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(comparisons, undefined, 2)}\n`);
      process.stdout.write(tableOf(comparisons));
    } finally {
      await system.close();
    }
  } finally {
    await servers.remove();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof TypeError ? `${error.message}\n${usage}` : String((error as Error).stack)}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
