import { satisfies } from 'semver';
import { downloadedPackages, type LockFile, packageName } from './lock-file.js';

/** One known weakness of one package. */
export interface Advisory {
  /** Of the GitHub Advisory Database: `GHSA-…`. */
  readonly id: string;
  readonly package: string;
  /** A semver range of the versions that have it. */
  readonly vulnerableVersions: string;
  readonly severity: string;
  readonly title: string;
  /** Why it does not concern this product, where that was decided; with a date. Without it the check fails. */
  readonly accepted?: string;
}

/** The advisories as they were known on one day, kept as data so that the check needs no network. */
export interface AdvisorySnapshot {
  /** RFC 3339 date on which the snapshot was taken. */
  readonly takenOn: string;
  /** Where it is from, and what it does not cover. */
  readonly source: string;
  readonly advisories: readonly Advisory[];
}

/** Installed packages with a known weakness that nobody has judged. */
export function advisoryProblems(lock: LockFile, { advisories, source }: AdvisorySnapshot): string[] {
  if (source === '') return ['there is no snapshot of advisories: `--renew` takes one'];
  const installed = downloadedPackages(lock).map(([path, { version }]) => ({ name: packageName(path), version: version ?? '' }));
  return advisories.flatMap((advisory) => {
    if (advisory.accepted !== undefined) return [];
    const hit = installed.filter(({ name, version }) => name === advisory.package && satisfies(version, advisory.vulnerableVersions, { includePrerelease: true }));
    return hit.map(({ name, version }) => `${name} ${version}: ${advisory.severity}, ${advisory.title} (${advisory.id})`);
  });
}

/** What the registry answers to a bulk question: advisories by package name. */
export type BulkAnswer = Readonly<Record<string, readonly { readonly url: string; readonly title: string; readonly severity: string; readonly vulnerable_versions: string }[]>>;

/** The question to the registry's bulk advisory endpoint: every installed version by package name. */
export function bulkQuestion(lock: LockFile): Readonly<Record<string, readonly string[]>> {
  const question: Record<string, string[]> = {};
  for (const [path, { version }] of downloadedPackages(lock)) {
    if (version !== undefined) (question[packageName(path)] ??= []).push(version);
  }
  return question;
}

/** The snapshot that an answer makes; what was accepted before stays accepted. */
export function snapshotOf(answer: BulkAnswer, previous: AdvisorySnapshot, takenOn: string): AdvisorySnapshot {
  const accepted = new Map(previous.advisories.flatMap((advisory) => (advisory.accepted === undefined ? [] : [[`${advisory.package} ${advisory.id}`, advisory.accepted] as const])));
  const advisories = Object.entries(answer).flatMap(([name, found]) =>
    found.map(({ url, title, severity, vulnerable_versions: vulnerableVersions }): Advisory => {
      const id = url.slice(url.lastIndexOf('/') + 1);
      const reason = accepted.get(`${name} ${id}`);
      return { id, package: name, vulnerableVersions, severity, title, ...(reason === undefined ? {} : { accepted: reason }) };
    }),
  );
  advisories.sort((one, other) => one.package.localeCompare(other.package) || one.id.localeCompare(other.id));
  return { takenOn, source: 'the bulk advisory endpoint of the package registry, asked for every version in package-lock.json', advisories };
}
