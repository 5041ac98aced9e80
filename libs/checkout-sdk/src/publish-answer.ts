/**
 * What became of a publication. Only `accepted` is an end; everything else is to be published again, which is safe:
 * - `accepted`: the broker has it and will keep it. From here on Latchkey does not lose it.
 * - `unroutable`: the broker had no queue for it. It was not accepted.
 * - `unknown`: it was sent, and no verdict came: the connection was lost, or the time was over. Nobody knows whether it was accepted.
 * - `not-sent`: the broker was away or took nothing, for as long as there was time, or too many were waiting. It was not accepted.
 */
export type PublishOutcome = 'accepted' | 'unroutable' | 'unknown' | 'not-sent';

/** The answer to one publication. */
export interface PublishAnswer {
  readonly outcome: PublishOutcome;
  /** The event's id. Published again under it, it has its effect once, whatever became of the first. */
  readonly id: string;
  /** A sentence for logs. */
  readonly detail: string;
}
