export * from './database-away.js';
export * from './housekeeping.js';
export * from './inbox.js';
export { INBOX_RETENTION_DAYS } from './inbox-slots.js';
export * from './in-transaction.js';
export * from './outbox.js';
export * from './outbox.migration.js';
export * from './relay.js';
export * from './tx.js';
