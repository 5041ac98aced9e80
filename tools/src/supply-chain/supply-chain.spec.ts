import { describe, expect, it } from '@jest/globals';
import { type AdvisorySnapshot, advisoryProblems, bulkQuestion, snapshotOf } from './advisories.js';
import { licenceProblems } from './licences.js';
import { lockFileProblems, type LockedPackage, type LockFile } from './lock-file.js';
import { digestOf, type KnownForms, secretProblems } from './secret-scan.js';

const integrity = `sha512-${'A'.repeat(86)}==`;
const good: LockedPackage = { version: '1.2.3', integrity, license: 'MIT' };
/** Installed as exceptions to the licences, so that none of them is superfluous. */
const exceptional = Object.fromEntries(['argparse', 'buildcheck', 'caniuse-lite', 'cpu-features', 'ssh2'].map((name) => [`node_modules/${name}`, good]));
const locked = (packages: Record<string, LockedPackage>): LockFile => ({ lockfileVersion: 3, packages: { '': {}, ...exceptional, ...packages } });
const manifest = { path: 'package.json', dependencies: { left: '1.2.3', '@latchkey/crypto': '*' } };

describe('the lock file', () => {
  it('is good where every package is held to its content and every manifest to a version', () => {
    expect(lockFileProblems(locked({ 'node_modules/left': good, 'node_modules/@latchkey/crypto': { link: true } }), [manifest])).toEqual([]);
  });

  it.each<[string, LockedPackage, string]>([
    ['without a hash', { ...good, integrity: undefined }, 'no SHA-512'],
    ['with a weaker hash', { ...good, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'no SHA-512'],
    ['with a truncated hash', { ...good, integrity: 'sha512-AAAA' }, 'no SHA-512'],
    ['from a place of its own', { ...good, resolved: 'git+ssh://somewhere/left.git' }, 'a place of its own'],
    ['without a version', { ...good, version: undefined }, 'no version'],
    ['with an install script that nobody decided on', { ...good, hasInstallScript: true }, 'install script'],
  ])('is not with a package %s', (_, entry, problem) => {
    expect(lockFileProblems(locked({ 'node_modules/left': entry }), [manifest])).toContainEqual(expect.stringContaining(problem));
  });

  it('knows which install scripts somebody decided on, either way', () => {
    const lock = locked({ 'node_modules/left': { ...good, hasInstallScript: true } });
    for (const allowed of [true, false]) expect(lockFileProblems(lock, [{ ...manifest, allowScripts: { left: allowed } }])).toEqual([]);
  });

  it.each(['^1.2.3', '~1.2.3', '1.x', 'latest', '*', 'github:somebody/left', 'file:../left'])('is not with the range %s', (range) => {
    expect(lockFileProblems(locked({ 'node_modules/left': good }), [{ path: 'p', dependencies: { left: range } }])).toContainEqual(expect.stringContaining('not an exact version'));
  });

  it('is not where it lacks what a manifest names, or is of another version', () => {
    const others: Record<string, LockedPackage>[] = [{}, { 'node_modules/left': { ...good, version: '1.2.4' } }, { 'node_modules/other-left': good }];
    for (const packages of others) {
      expect(lockFileProblems(locked(packages), [manifest])).toEqual([expect.stringContaining('left 1.2.3 is not in the lock file')]);
    }
    expect(lockFileProblems({ ...locked({}), lockfileVersion: 2 }, [])).toEqual([expect.stringContaining('lockfileVersion')]);
  });
});

describe('licences', () => {
  it.each(['MIT', 'Apache-2.0 AND MIT', '(MIT OR GPL-3.0-only)', 'BlueOak-1.0.0'])('accepts %s', (license) => {
    expect(licenceProblems(locked({ 'node_modules/left': { ...good, license } }))).toEqual([]);
  });

  it.each(['GPL-3.0-only', 'MIT AND AGPL-3.0-only', 'UNLICENSED', 'SEE LICENSE IN LICENSE', undefined])('does not accept %s', (license) => {
    expect(licenceProblems(locked({ 'node_modules/left': { ...good, license } }))).toEqual([expect.stringContaining('left 1.2.3')]);
  });

  it('makes an exception for what a package declares, and not for its name', () => {
    expect(licenceProblems(locked({ 'node_modules/argparse': { ...good, license: 'Python-2.0' } }))).toEqual([]);
    expect(licenceProblems(locked({ 'node_modules/argparse': { ...good, license: 'GPL-3.0-only' } }))).toHaveLength(1);
    expect(licenceProblems(locked({ 'node_modules/constructor': { ...good, license: 'GPL-3.0-only' } }))).toHaveLength(1);
  });

  it('wants no exception that nothing needs', () => {
    expect(licenceProblems({ lockfileVersion: 3, packages: {} })).toHaveLength(5);
  });
});

describe('advisories', () => {
  const snapshot: AdvisorySnapshot = {
    takenOn: '2026-11-23',
    source: 'a test',
    advisories: [{ id: 'GHSA-1', package: 'left', vulnerableVersions: '<1.3.0', severity: 'high', title: 'pads wrongly' }],
  };

  it('name each installed version that has a weakness, wherever it lies in the tree', () => {
    const lock = locked({ 'node_modules/left': { ...good, version: '1.3.0' }, 'node_modules/right/node_modules/left': good });
    expect(advisoryProblems(lock, snapshot)).toEqual(['left 1.2.3: high, pads wrongly (GHSA-1)']);
  });

  it('are silent about other packages and versions, and about what was accepted with a reason', () => {
    expect(advisoryProblems(locked({ 'node_modules/leftover': good, 'node_modules/left': { ...good, version: '1.3.0' } }), snapshot)).toEqual([]);
    const accepted = { ...snapshot, advisories: snapshot.advisories.map((advisory) => ({ ...advisory, accepted: '2026-11-23: not called' })) };
    expect(advisoryProblems(locked({ 'node_modules/left': good }), accepted)).toEqual([]);
  });

  it('are no answer where nobody has asked', () => {
    expect(advisoryProblems(locked({}), { takenOn: '2026-11-23', source: '', advisories: [] })).toEqual([expect.stringContaining('no snapshot')]);
  });

  it('are renewed from what the registry answers, and stay accepted', () => {
    const answer = { left: [{ url: 'https://advisories.example/GHSA-1', title: 'pads wrongly', severity: 'low', vulnerable_versions: '<2' }] };
    const [before] = snapshot.advisories;
    const renewed = snapshotOf(answer, { ...snapshot, advisories: [{ ...before!, accepted: 'not called' }] }, '2026-12-01');
    expect(renewed).toMatchObject({ takenOn: '2026-12-01', advisories: [{ id: 'GHSA-1', package: 'left', vulnerableVersions: '<2', accepted: 'not called' }] });
    expect(bulkQuestion(locked({ 'node_modules/left': good, 'node_modules/a/node_modules/left': { ...good, version: '2.0.0' } }))['left']).toEqual(['1.2.3', '2.0.0']);
  });
});

describe('the scan for secrets', () => {
  const secrets: Record<string, string> = {
    'a private key in PEM': `-----BEGIN EC ${'PRIVATE'} KEY-----`,
    'an API key of Latchkey': `lk_live_abcd1234_${'x'.repeat(43)}`,
    'a key encryption key': `k1:${'Q'.repeat(43)}=`,
    'a signed token': `eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.${'c'.repeat(86)}`,
    'a private JWK': `{"kty":"EC", "${'d'}":"${'z'.repeat(43)}"}`,
    'a password in a URL': `amqp://checkout:${'hunter2'}@broker`,
    'a cloud or source host token': `AKIA${'A'.repeat(16)}`,
  };

  it.each(Object.entries(secrets))('finds %s, says where, and does not repeat it', async (name, secret) => {
    const [problem, ...more] = await secretProblems([{ path: 'a.ts', text: `one\ntwo ${secret}\n` }], {});
    expect([more, problem?.startsWith(`a.ts:2 looks like ${name} (`), problem?.includes(secret)]).toEqual([[], true, false]);
  });

  it('knows a form by its digest: finds another in its place, one more, and one that is gone', async () => {
    const [pem, url] = [secrets['a private key in PEM']!, secrets['a password in a URL']!];
    const known: KnownForms = { 'a.ts': { why: 'a vector', sha256: [await digestOf(pem)] } };
    expect(await secretProblems([{ path: 'a.ts', text: pem }], known)).toEqual([]);
    expect(await secretProblems([{ path: 'a.ts', text: url }], known)).toHaveLength(2);
    expect(await secretProblems([{ path: 'a.ts', text: `${pem} ${url}` }], known)).toHaveLength(1);
    expect(await secretProblems([{ path: 'b.ts', text: pem }], {})).toHaveLength(1);
    expect(await secretProblems([{ path: 'a.ts', text: '' }], known)).toHaveLength(1);
  });

  it('lets ordinary text pass', async () => {
    const text = 'amqp://guest:guest@127.0.0.1 http://127.0.0.1:8080/x@y lk_test_ k1:abc= -----BEGIN PUBLIC KEY----- eyJhbGciOiJFUzI1NiJ9';
    expect(await secretProblems([{ path: 'a.ts', text }], {})).toEqual([]);
  });
});
