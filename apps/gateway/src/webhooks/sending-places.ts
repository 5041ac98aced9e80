/** Attempts that one replica makes at a time. */
export const PLACES = 64;
/** Of these so many at most to webhooks that fail: whoever lets us wait must not have us keep others waiting. */
export const PLACES_OF_FAILING = 32;
/** And so many are kept for them: who has failed once must not wait until nobody else has anything to send. */
export const PLACES_KEPT_FOR_FAILING = 8;
/** Attempts that one replica makes at a time to one webhook. */
export const PLACES_OF_ONE = 8;
/** And while it fails: one shows whether it is back. */
export const PLACES_OF_ONE_FAILING = 1;

/** Who takes a place. */
export interface Placed {
  readonly webhookId: string;
  readonly failing: boolean;
}

/** Which places are taken. */
export class SendingPlaces {
  private readonly taken = new Map<string, number>();
  private all = 0;
  private ofFailing = 0;

  /** Free places for webhooks that fail, or for those that do not. */
  free(failing: boolean): number {
    const kept = failing ? PLACES_OF_FAILING - this.ofFailing : PLACES - PLACES_KEPT_FOR_FAILING - (this.all - this.ofFailing);
    return Math.min(PLACES - this.all, kept);
  }

  /** How many places each webhook has taken. */
  get underWay(): ReadonlyMap<string, number> {
    return this.taken;
  }

  /** Takes a place. */
  take({ webhookId, failing }: Placed): void {
    this.taken.set(webhookId, (this.taken.get(webhookId) ?? 0) + 1);
    this.all += 1;
    if (failing) this.ofFailing += 1;
  }

  /** Gives a place back; `failing` as when it was taken. */
  give({ webhookId, failing }: Placed): void {
    const left = this.taken.get(webhookId)! - 1;
    if (left === 0) this.taken.delete(webhookId);
    else this.taken.set(webhookId, left);
    this.all -= 1;
    if (failing) this.ofFailing -= 1;
  }
}
