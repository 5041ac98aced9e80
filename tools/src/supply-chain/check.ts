// `npm run supply-chain`: the lock file, the licences and known weaknesses of what it brings in, and secrets in the tree.
// Needs no network. `npm run supply-chain -- --renew` asks the registry for the advisories of today and keeps the answer.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AdvisorySnapshot, advisoryProblems, type BulkAnswer, bulkQuestion, snapshotOf } from './advisories.js';
import { licenceProblems } from './licences.js';
import { lockFileProblems, type LockFile } from './lock-file.js';
import { type KnownForms, secretProblems } from './secret-scan.js';

const root = dirname(dirname(dirname(import.meta.dirname)));
const snapshotPath = join(import.meta.dirname, 'advisories.json');
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const lock = read('package-lock.json') as LockFile;
const snapshot = JSON.parse(readFileSync(snapshotPath, 'utf8')) as AdvisorySnapshot;

/** The registry is whichever npm is set up with. */
async function renew(): Promise<void> {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const response = await fetch(new URL('-/npm/v1/security/advisories/bulk', registry), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(bulkQuestion(lock)),
  });
  if (!response.ok) throw new Error(`the registry does not answer for advisories: ${response.status}`);
  const renewed = snapshotOf((await response.json()) as BulkAnswer, snapshot, new Date().toISOString().slice(0, 10));
  writeFileSync(snapshotPath, `${JSON.stringify(renewed, null, 2)}\n`);
  process.stdout.write(`${renewed.advisories.length} advisories, as of ${renewed.takenOn}\n`);
}

async function check(): Promise<number> {
  const manifests = ['package.json', ...globSync('{apps,libs}/*/package.json', { cwd: root }), 'e2e/package.json', 'tools/package.json'];
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const checks: readonly (readonly [string, readonly string[]])[] = [
    ['lock file', lockFileProblems(lock, manifests.map((path) => ({ ...(read(path) as object), path })))],
    ['licences', licenceProblems(lock)],
    [`advisories (as of ${snapshot.takenOn})`, advisoryProblems(lock, snapshot)],
    ['secrets', await secretProblems(files.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })), read('tools/src/supply-chain/known-forms.json') as KnownForms)],
  ];
  for (const [name, problems] of checks) {
    process.stdout.write(`${problems.length === 0 ? 'good' : 'BAD '}  ${name}\n${problems.map((problem) => `      ${problem}\n`).join('')}`);
  }
  return checks.some(([, problems]) => problems.length > 0) ? 1 : 0;
}

if (process.argv.includes('--renew')) await renew();
else process.exitCode = await check();
