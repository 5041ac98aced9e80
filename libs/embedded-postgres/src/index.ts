export { lockDataDirectory } from './data-directory-lock.js';
export type { DataDirectoryLock } from './data-directory-lock.js';
export { DataDirectoryInUse, PlatformUnsupported, PostgresFailed } from './embedded-postgres-error.js';
export { startEmbeddedPostgres } from './start-embedded-postgres.js';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './start-embedded-postgres.js';
