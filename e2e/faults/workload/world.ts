import { setTimeout as delay } from 'node:timers/promises';
import type { History } from '../history.js';
import type { Seller, Target } from '../system/target.js';
import type { CheckoutLine } from './checkout-line.js';
import type { Ledger } from './ledger.js';

/** What every actor of a run shares. */
export interface World {
  readonly target: Target;
  /** In whose name the gateway is called. */
  readonly seller: Seller;
  readonly history: History;
  readonly ledger: Ledger;
  readonly checkout: CheckoutLine;
  /** Content keys of the seller that are stored. */
  readonly kids: readonly string[];
  /** The one of the merchant whose tokens come from a licence service. */
  readonly upstreamKid: string;
  /** Aborted when actors are to begin nothing new. */
  readonly ending: AbortSignal;
  /** Aborted when actors are to stop trying again what is unknown. */
  readonly over: AbortSignal;
}

/** Waits, but not past the end of the run. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
