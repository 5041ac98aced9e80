/** Where the broker client reports what an operator should know. It is told no payloads, headers or addresses. */
export interface BrokerLogger {
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** What an error may say in a log. Errors of the AMQP client hold what the broker said; no payload is in them. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
