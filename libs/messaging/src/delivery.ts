import type { CloudEvent } from '@latchkey/contracts';

/** An event on its way into a handler: read, checked against the subscription's schema, and of a trusted origin. */
export interface Delivery<Data = unknown> {
  readonly event: CloudEvent<Data>;
  /** 1 the first time it is handled, one more with each rung of the retry ladder. */
  readonly attempt: number;
}
