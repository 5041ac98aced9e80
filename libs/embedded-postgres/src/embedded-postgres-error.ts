/** Another living process works on this data directory; nothing was touched. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';

  constructor(readonly dataDir: string) {
    super(`${dataDir} is in use by another process. Stop that one first, or name another data directory.`);
  }
}

/** There are no PostgreSQL binaries for this operating system and processor, or they were not installed. */
export class PlatformUnsupported extends Error {
  override readonly name = 'PlatformUnsupported';

  constructor(readonly platform: string) {
    super(`There is no embedded PostgreSQL for ${platform} here. Name a server of your own in DATABASE_URL.`);
  }
}

/**
 * `initdb`, `pg_ctl` or the server itself failed. `output` holds what they said (the end of the server's log, for a
 * start), which never contains statements or row values: the server is told to log neither.
 */
export class PostgresFailed extends Error {
  override readonly name = 'PostgresFailed';

  constructor(
    readonly step: string,
    readonly output: string,
  ) {
    super(`PostgreSQL: ${step} failed.${output ? `\n${output}` : ''}`);
  }
}
