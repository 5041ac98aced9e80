/**
 * Why something was refused, in a way that a repeat does not mend:
 * - `invalid-options`: the client cannot be made so; `problems` lists what is wrong.
 * - `invalid-event`: the purchase, the refund or its id is not as the contract says; `problems` lists what is wrong. Nothing was sent.
 * - `id-reused`: this client published something else under the same id; Latchkey would take it for a repeat. Nothing was sent.
 * - `not-permitted`: the broker refuses the login, the virtual host, or the publishing.
 * - `wrong-user`: the broker knows the connection by another user than the event names.
 * - `unreachable`: no connection at start, within the time given.
 * - `closed`: the client is closed. Nothing was sent.
 */
export type CheckoutErrorCode = 'invalid-options' | 'invalid-event' | 'id-reused' | 'not-permitted' | 'wrong-user' | 'unreachable' | 'closed';

/** One thing that is wrong: where, as `rights.availableUntil`, and what. */
export interface CheckoutProblem {
  readonly path: string;
  readonly message: string;
}

/** The one error of this library. Its texts hold neither the password nor what was bought. */
export class CheckoutError extends Error {
  override readonly name = 'CheckoutError';

  constructor(
    readonly code: CheckoutErrorCode,
    message: string,
    /** What is wrong, one by one; empty where the code says it all. */
    readonly problems: readonly CheckoutProblem[] = [],
  ) {
    super(problems.length === 0 ? message : `${message}: ${problems.map(({ path, message: what }) => `${path}: ${what}`).join('; ')}`);
  }
}
