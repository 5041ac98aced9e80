import { downloadedPackages, type LockFile, packageName } from './lock-file.js';

/** Licences (SPDX) that let a closed product be built with what is under them, and ask for no more than a notice. */
const ACCEPTED: ReadonlySet<string> = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'Unlicense']);

/** A package that says something else, or nothing: what it says, and why it may be used all the same. */
interface Exception {
  readonly declares: string | undefined;
  readonly why: string;
}

const EXCEPTIONS: ReadonlyMap<string, Exception> = new Map([
  ['argparse', { declares: 'Python-2.0', why: 'permissive; reads options for a tool of the build' }],
  ['buildcheck', { declares: undefined, why: 'MIT, in an old form of package.json; optional part of ssh2, not built here' }],
  ['caniuse-lite', { declares: 'CC-BY-4.0', why: 'data about browsers; used by the build, not delivered' }],
  ['cpu-features', { declares: undefined, why: 'MIT, in an old form of package.json; optional part of ssh2, not built here' }],
  ['ssh2', { declares: undefined, why: 'MIT, in an old form of package.json; for tests with containers on other machines' }],
]);

/** Packages whose licence nobody has agreed to, and exceptions that nothing needs any more. */
export function licenceProblems(lock: LockFile): string[] {
  const packages = downloadedPackages(lock);
  const isException = (name: string, license: string | undefined): boolean => EXCEPTIONS.has(name) && EXCEPTIONS.get(name)!.declares === license;
  const strange = packages.filter(([path, { license }]) => !isAccepted(license) && !isException(packageName(path), license));
  const names = new Set(packages.map(([path]) => packageName(path)));
  return [
    ...strange.map(([path, { license, version }]) => `${packageName(path)} ${version ?? ''} is under ${license ?? 'no licence that it names'}`),
    ...[...EXCEPTIONS.keys()].filter((name) => !names.has(name)).map((name) => `${name} is an exception, and is not installed`),
  ];
}

/** `A OR B` is good where one is, `A AND B` where both are (SPDX expressions without nesting, as npm packages write them). */
function isAccepted(license: string | undefined): boolean {
  if (license === undefined) return false;
  const expression = license.replace(/^\((.*)\)$/, '$1');
  return expression.split(' OR ').some((choice) => choice.split(' AND ').every((one) => ACCEPTED.has(one)));
}
