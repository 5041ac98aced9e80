import { sqlStateOf } from './outbox.js';

const socketErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);
/** Connection exceptions (08), too many connections or no resources (53), shutting down or starting up (57P01 to 57P03). */
const awayStates = /^(?:08...|53...|57P0[123])$/;
/** What the driver's pool says without a code. */
const poolMessages = /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether an error says that the database is away or overloaded, rather than that a statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (code !== undefined) return socketErrors.has(code) || awayStates.test(code);
  return error instanceof Error && (poolMessages.test(error.message) || isDatabaseAway(error.cause));
}
