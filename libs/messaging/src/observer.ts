import type { Verdict } from './broker.js';

/** What the messaging layer reports, for logs and metrics. Nothing here holds a payload. */
export interface MessagingObserver {
  /** One message was handled: its type (or `unreadable`), what became of it, and how long its batch took. */
  handled(type: string, verdict: Verdict, durationMs: number, attempt: number): void;
  /** Messages of this type wait from now on, because a part is away: a database, or a service that was called. `error` if one was thrown. */
  waiting(type: string, reason: string, error?: unknown): void;
  /** The last of them is handled. */
  goesOn(type: string): void;
  /** A handler threw; the messages are retried. */
  failed(type: string, error: unknown): void;
  /** One request was answered or refused. */
  answered(name: string, outcome: string, durationMs: number, error?: unknown): void;
}

/** Where a bus reports what an operator should know. It is told no payloads, headers or addresses. */
export interface BrokerLogger {
  info(message: string, fields?: BrokerLogFields): void;
  warn(message: string, fields?: BrokerLogFields): void;
  error(message: string, fields?: BrokerLogFields): void;
}

/** What stands beside a message in the log. */
export type BrokerLogFields = Readonly<Record<string, string | number | boolean | undefined>>;
