/** One entry of `package-lock.json` (lockfileVersion 3), as far as it is looked at. */
export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
}

/** `package-lock.json`, as far as it is looked at. */
export interface LockFile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** A `package.json` of the workspace, as far as it is looked at. */
export interface Manifest {
  readonly path: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

/** The entries that npm downloads: not the workspace itself and its links. */
export function downloadedPackages(lock: LockFile): readonly (readonly [path: string, entry: LockedPackage])[] {
  return Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
}

/** The name under which a lock entry's package is published. */
export function packageName(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/**
 * What is wrong with the lock file: an entry that is not held to its content (SHA-512), or names a place of its own to
 * come from, would install whatever lies there that day; a range in a manifest would be another version on the next
 * update; and a package with an install script runs code that nobody has decided on.
 */
export function lockFileProblems(lock: LockFile, manifests: readonly Manifest[]): string[] {
  const problems = lock.lockfileVersion === 3 ? [] : [`lockfileVersion is ${lock.lockfileVersion}, not 3`];
  const decided = new Set(manifests.flatMap(({ allowScripts }) => Object.keys(allowScripts ?? {})));
  for (const [path, { resolved, integrity, version, hasInstallScript }] of downloadedPackages(lock)) {
    if (!version) problems.push(`${path} has no version`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')) problems.push(`${path} has no SHA-512 of its content`);
    if (resolved !== undefined) problems.push(`${path} names a place of its own to come from`);
    if (hasInstallScript && !decided.has(packageName(path))) problems.push(`${path} has an install script, and allowScripts does not say whether it may run`);
  }
  for (const { path, dependencies, devDependencies, optionalDependencies } of manifests) {
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (name.startsWith('@latchkey/')) continue;
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range)) problems.push(`${path}: ${name} is "${range}", not an exact version`);
      const locked = Object.entries(lock.packages).filter(([at]) => at.endsWith(`node_modules/${name}`) && packageName(at) === name);
      if (!locked.some(([, { version }]) => version === range)) problems.push(`${path}: ${name} ${range} is not in the lock file`);
    }
  }
  return problems;
}
