// `node tools/launch.mjs <command> [arguments]`: what every npm script of the root is. It runs on the machine's own Node
// (20 or later) with nothing installed: it installs what package-lock.json says where that is not there yet, and hands
// over to the Node 24 that came with it. It waits for the end and passes the exit code on.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runTs = ['--import', pathToFileURL(join(root, 'tools', 'run-ts.mjs')).href];
const nx = (target) => ['node_modules/nx/dist/bin/nx.js', 'run-many', '-t', target];

const COMMANDS = {
  start: [...runTs, 'apps/standalone/src/main.ts'],
  demo: [...runTs, 'apps/standalone/src/demo/main.ts'],
  admin: [...runTs, 'apps/standalone/src/admin/main.ts'],
  quarantine: [...runTs, 'apps/standalone/src/quarantine/main.ts'],
  device: [...runTs, 'examples/device.mjs'],
  test: [...runTs, 'tools/test.mjs'],
  faults: [...runTs, 'e2e/faults/main.ts'],
  interleavings: [...runTs, 'tools/interleavings.mjs'],
  mutation: ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', 'tools/mutation/stryker.config.mjs'],
  bench: [...runTs, 'e2e/bench/main.ts'],
  'upgrade-suite': [...runTs, 'e2e/upgrade/main.ts'],
  lint: nx('lint'),
  typecheck: nx('typecheck'),
  build: nx('build'),
  generate: [...runTs, 'tools/src/generate.ts'],
  'supply-chain': [...runTs, 'tools/src/supply-chain/check.ts'],
};

/** Runs one app from source, again at each change of a file, with a debugger's port. */
function developmentOf(app) {
  const apps = readdirSync(join(root, 'apps')).filter((name) => existsSync(join(root, 'apps', name, 'src/main.ts')));
  if (!apps.includes(app)) {
    process.stderr.write(`Usage: npm run dev -- ${apps.join('|')} [arguments]\n`);
    process.exit(2);
  }
  return ['--watch', '--watch-preserve-output', '--inspect', ...runTs, `apps/${app}/src/main.ts`];
}

/** What `module.registerHooks` and the lock on the data directory need, where no Node 24 was installed. */
const OLDEST_NODE = [22, 15];

/** npm notes under node_modules what it has put there; an installation that was interrupted has no such note. */
function isInstalled() {
  const note = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(note)) return false;
  const packages = (file) => Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages);
  const present = new Map(packages(note));
  return packages(join(root, 'package-lock.json'))
    .filter(([path, { optional }]) => path.includes('node_modules/') && !optional)
    .every(([path, wanted]) => {
      const found = present.get(path);
      return found?.version === wanted.version && found?.integrity === wanted.integrity;
    });
}

// What reads the output may be gone (`npm start | head -3`): the program that runs is still to be waited for.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

let running;
const signalsHeard = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // Once: whoever signals the whole process group has told the child already, and npm passes signals on as well.
    if (!signalsHeard.has(signal)) running?.kill(signal);
    signalsHeard.add(signal);
  });
}

/** Runs a program to its end; resolves to its exit code, or 128 + n as shells say it when signal n ended it. */
function run(file, args, options) {
  return new Promise((resolve, reject) => {
    running = spawn(file, args, { cwd: root, stdio: 'inherit', ...options });
    running.on('error', reject);
    running.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    let output = '';
    running.stdout?.on('data', (chunk) => (output += chunk));
    running.stderr?.on('data', (chunk) => (output += chunk));
    running.on('close', (code) => code !== 0 && process.stderr.write(output));
  });
}

async function install() {
  process.stderr.write('Installing what package-lock.json names (once; about a minute) …\n');
  // Not with a Node that lies in node_modules, which the installation removes first.
  const path = process.env.PATH.split(delimiter).filter((folder) => !folder.startsWith(join(root, 'node_modules')));
  // Development packages too, whatever NODE_ENV says: running from source needs the compiler.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  return run('npm', args, {
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
}

function findNode() {
  const installed = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(installed)) return installed;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return process.execPath;
  throw new Error(
    `Latchkey runs on Node 24. npm has none for ${process.platform}-${process.arch}, and this is ${process.version}.`,
  );
}

async function main([command, ...args]) {
  const commandLine = command === 'dev' ? developmentOf(args.shift()) : COMMANDS[command];
  if (!commandLine) {
    process.stderr.write(`Usage: launch.mjs ${[...Object.keys(COMMANDS), 'dev'].join('|')} [arguments]\n`);
    return 2;
  }
  if (!isInstalled()) {
    const code = await install();
    if (code !== 0) return code;
  }
  const [stopped] = signalsHeard;
  if (stopped) return 128 + constants.signals[stopped];
  return run(findNode(), [...commandLine, ...args]);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
