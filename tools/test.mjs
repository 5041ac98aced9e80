// `npm test [-- project…] [--require-all] [--busy] [-- jest options]`: all suites of all projects in one Jest run, on one PostgreSQL
// and one RabbitMQ that it starts and removes. Says at the end what was left out for want of a server, and then
// `N passed, N failed`. `--busy` runs them beside two busy loops, as on a machine that does other work: a test that
// depends on speed is red there. `--require-all`, or LATCHKEY_TEST_REQUIRE_ALL=1, makes what was left out a failure.
//
// Suites get their servers by variables (LATCHKEY_TEST_*). Where these are set already they are used; else Docker; and
// without Docker an embedded PostgreSQL (or DATABASE_URL) and the broker at AMQP_URL, if there is one.
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, constants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { dockerAnswers, startPostgresContainer, startRabbitContainer } from '../libs/kits/src/test-servers.ts';
import { TEST_VARIABLES } from '../libs/kits/src/test-environment.ts';
import { startEmbeddedPostgres } from '../libs/embedded-postgres/src/index.ts';

const root = dirname(import.meta.dirname);
const { databaseUrl, amqpUrl, managementUrl, leftOutFile } = TEST_VARIABLES;
const BUSY_LOOPS = 2;
const say = (text) => process.stdout.write(`${text}\n`);

function readArguments(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const own = args.slice(0, end);
  return {
    names: own.filter((argument) => argument !== '--require-all' && argument !== '--busy'),
    busy: own.includes('--busy'),
    requireAll: own.includes('--require-all') || process.env.LATCHKEY_TEST_REQUIRE_ALL === '1',
    jestOptions: args.slice(end + 1),
  };
}

/** Projects with a jest.config.mjs, with their test files and what servers the sources of their tests ask for. */
function findProjects(names) {
  const found = globSync('{apps/*,libs/*,e2e,tools}/jest.config.mjs', { cwd: root }).map(dirname).sort();
  const unknown = names.filter((name) => !found.some((project) => basename(project) === name));
  if (unknown.length) throw new Error(`No such project: ${unknown.join(', ')}. There are ${found.map((p) => basename(p)).join(', ')}.`);
  return found
    .filter((project) => !names.length || names.includes(basename(project)))
    .map((project) => {
      const suites = globSync(`${project}/{src/**/*.spec.ts,test/**/*.test.ts}`, { cwd: root });
      const sources = globSync(`${project}/{src/**/*.spec.ts,test/**/*.ts}`, { cwd: root });
      const text = sources.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
      return {
        path: project,
        suites,
        needsDatabase: text.includes('createTestDatabase'),
        needsRabbit: text.includes('describeWithRabbit'),
      };
    });
}

/** Starts what is needed and not given. A server that cannot be had is told of, and its variable stays unset. */
async function startServers(projects, folder, servers) {
  const wantsDatabase = projects.some((project) => project.needsDatabase) && !process.env[databaseUrl];
  const wantsRabbit = projects.some((project) => project.needsRabbit) && !process.env[amqpUrl];
  if (!wantsDatabase && !wantsRabbit) return;
  const docker = await dockerAnswers();
  const inContainer = async (start, what) => {
    if (!docker) return undefined;
    return start().catch((error) => say(`${what} did not start in Docker: ${error.message}`));
  };
  const start = async (wanted, containers, what, otherwise) => {
    if (!wanted) return;
    const server = (await inContainer(containers, what)) ?? (await otherwise());
    if (server) servers.push(server);
  };
  const results = await Promise.allSettled([
    start(wantsDatabase, startPostgresContainer, 'PostgreSQL', () => otherPostgres(folder)),
    start(wantsRabbit, startRabbitContainer, 'RabbitMQ', givenRabbit),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function otherPostgres(folder) {
  if (process.env.DATABASE_URL) return { variables: { [databaseUrl]: process.env.DATABASE_URL } };
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), databases: [] });
  return { variables: { [databaseUrl]: server.url('postgres') }, stop: server.stop };
}

async function givenRabbit() {
  if (!process.env.AMQP_URL) return undefined;
  const { hostname, username, password } = new URL(process.env.AMQP_URL);
  const management = process.env[managementUrl] ?? `http://${hostname}:15672`;
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  const answer = await fetch(`${management}/api/overview`, { headers: { authorization } }).catch(() => undefined);
  if (answer?.ok) return { variables: { [amqpUrl]: process.env.AMQP_URL, [managementUrl]: management } };
  say(`The broker at AMQP_URL is no use to the tests: its management API does not answer an administrator at ${management}.`);
  return undefined;
}

let jest;
let stoppedBy;

function runJest(projects, folder, servers, options) {
  const { AMQP_URL: _amqp, DATABASE_URL: _database, ...environment } = process.env;
  const variables = Object.assign({}, ...servers.map((server) => server.variables));
  jest = spawn(
    process.execPath,
    [
      join(root, 'node_modules/jest/bin/jest.js'),
      '--projects',
      ...projects.map((project) => project.path),
      '--json',
      `--outputFile=${join(folder, 'results.json')}`,
      `--maxWorkers=${Math.min(4, Math.max(2, availableParallelism() - 1))}`,
      '--workerIdleMemoryLimit=700MB',
      ...options,
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...environment,
        ...variables,
        [leftOutFile]: join(folder, 'left-out'),
        NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      },
    },
  );
  return new Promise((resolve, reject) => jest.on('error', reject).on('close', resolve));
}

/** A suite that did not run to its end counts as a failure even where none of its tests did. */
function count(folder, exitCode) {
  const file = join(folder, 'results.json');
  if (!existsSync(file)) return { passed: 0, failed: 1, notRun: 0 };
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const failures = results.testResults.map((suite) => {
    const failed = suite.assertionResults.filter((test) => test.status === 'failed').length;
    return suite.status === 'failed' ? Math.max(1, failed) : failed;
  });
  const failed = failures.reduce((sum, each) => sum + each, 0);
  return {
    passed: results.numPassedTests,
    failed: exitCode === 0 ? failed : Math.max(1, failed),
    notRun: results.numPendingTests + results.numTodoTests,
  };
}

function readLeftOut(folder) {
  const file = join(folder, 'left-out');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
}

/** Runs everything; returns the exit code. */
async function main() {
  const { names, requireAll, busy, jestOptions } = readArguments(process.argv.slice(2));
  const projects = findProjects(names);
  const empty = projects.filter((project) => !project.suites.length);
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  const servers = [];
  const loops = busy ? Array.from({ length: BUSY_LOOPS }, () => spawn(process.execPath, ['-e', 'for (;;);'])) : [];
  try {
    const toRun = projects.filter((project) => project.suites.length);
    await startServers(toRun, folder, servers);
    const exitCode = toRun.length && !stoppedBy ? await runJest(toRun, folder, servers, jestOptions) : 1;
    if (stoppedBy) return 128 + constants.signals[stoppedBy];
    const { passed, failed, notRun } = count(folder, exitCode);
    const leftOut = readLeftOut(folder);
    for (const project of empty) say(`FAILED: ${project.path} has a jest.config.mjs and no tests.`);
    if (notRun || leftOut.length) say(`\nLEFT OUT, so nothing is known of it (${notRun} tests not run):`);
    for (const { name, needs } of leftOut) say(`  - ${name}: needs ${needs}`);
    const missing = requireAll ? Math.max(notRun, leftOut.length) : 0;
    if (missing) say('Nothing may be left out of this run: each counts as a failure.');
    const allFailed = failed + empty.length + missing;
    say(`\n${passed} passed, ${allFailed} failed`);
    return allFailed === 0 && passed > 0 ? 0 : 1;
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
    await Promise.allSettled(servers.map((server) => server.stop?.()));
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    jest?.kill(signal);
  });
}
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
