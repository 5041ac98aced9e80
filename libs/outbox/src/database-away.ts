import { sqlStateOf } from './outbox.js';

const socketErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/**
 * Connection exceptions (08), too many connections or no resources (53), shutting down, starting up or an idle session ended
 * (57P01 to 57P05), a transaction that the server ended because it stood idle (25P03), and a standby that takes no writes
 * yet (25006): in a failover the first connections may reach the new primary while it is still read-only. A lock that is not
 * given in time (55P03) is held by a process that has stalled, until the server ends its transaction.
 */
const awayStates = /^(?:08...|53...|57P0[1235]|25P03|25006|55P03)$/;
/** What pg, its pool and TypeORM say without a code. */
const driverMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'Query read timeout',
  'Cannot use a pool after calling end on the pool',
  'Driver not Connected',
];

/** Whether an error says that the database is away or overloaded, rather than that a statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (code !== undefined) return socketErrors.has(code) || awayStates.test(code);
  if (!(error instanceof Error)) return false;
  return driverMessages.some((message) => error.message.startsWith(message)) || isDatabaseAway(error.cause);
}
