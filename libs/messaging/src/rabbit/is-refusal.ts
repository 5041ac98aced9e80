/** Reply codes of AMQP 0-9-1: access-refused, not-found, precondition-failed. */
const refusals: ReadonlySet<unknown> = new Set([403, 404, 406]);
/** How RabbitMQ words it that a queue exists and its node does not answer. It uses the code of a queue that does not exist. */
const unavailableQueue = /process is stopped|is down|inaccessible|no leader|timed?[ -]?out/i;

/**
 * Whether the broker says that it will not, rather than that it cannot now. What it will not do needs an operator, and a service
 * that starts ends with it; what it cannot do now is tried again.
 */
export function isRefusal(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return refusals.has(code) && !(code === 404 && unavailableQueue.test(String(message)));
}
