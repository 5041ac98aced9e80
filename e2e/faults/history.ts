import { appendFileSync } from 'node:fs';
import type { Operation } from './operation.js';

/**
 * What is known of an operation: it was done, it was refused for good with this status and code, or nobody knows.
 * Time-outs, 5xx and cut connections are `unknown`: such an operation may have happened, or may still happen later.
 */
export type Outcome =
  | { readonly kind: 'ok'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** One operation of one actor, from its call to its answer. Times are milliseconds since 1970. */
export interface Entry {
  readonly index: number;
  readonly actor: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly operation: Operation;
  readonly outcome: Outcome;
}

/** Milliseconds since 1970 that never go back, comparable with the clock of databases on the same machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The list of everything that was tried, in the order of the calls. It only grows. */
export class History {
  readonly #entries: Entry[] = [];
  readonly #file: string | undefined;
  #next = 0;

  /** Entries are written to `file` too, a JSON line each, as they end. */
  constructor(file?: string) {
    this.#file = file;
  }

  /**
   * Does an operation and records what came of it. What `work` throws is recorded as `unknown`, because nobody knows how
   * far it got; the outcome is returned, never thrown.
   */
  async run(actor: string, operation: Operation, work: () => Promise<Outcome>): Promise<Outcome> {
    const index = this.#next;
    this.#next += 1;
    const startedMs = nowMs();
    const outcome = await work().catch((error: unknown): Outcome => ({ kind: 'unknown', why: String(error).slice(0, 200) }));
    this.#add({ index, actor, startedMs, endedMs: nowMs(), operation, outcome });
    return outcome;
  }

  /** What has ended so far, in the order of the calls. */
  entries(): readonly Entry[] {
    return [...this.#entries].sort((one, other) => one.index - other.index);
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify({ entry })}\n`);
  }
}
