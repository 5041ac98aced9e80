/** What an error may say in a log. Errors of the AMQP client hold what the broker said; no payload is in them. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
