/** How much is gathered, and for how long anybody waits. */
export interface GathererLimits {
  readonly batchSizeMax: number;
  /** Batches under way at once. While that many are, whatever comes waits and makes up the next one. */
  readonly inFlightMax: number;
  /** Beyond so many waiting, more are turned away at once: they would only time out. */
  readonly waitingMax: number;
  /** How long one waits for its result at most, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether an error may be the fault of a single item, so that the others are worth trying without it. */
  readonly isFaultOfOne: (error: unknown) => boolean;
}

/** There was no result in time, or too much waits already. What was under way may still have been done. */
export class GatherTimeout extends Error {
  override readonly name = 'GatherTimeout';
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  timer?: NodeJS.Timeout;
  overdue: boolean;
}

/**
 * Does for many what would be done for each: whatever waits is handed to `work` at once, which answers one result an
 * item in their order. Nothing lingers, so that a lone item is worked on by itself in the same turn of the event loop.
 */
export class Gatherer<Item, Result> {
  private waiting: Entry<Item, Result>[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private scheduled = false;

  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: GathererLimits,
  ) {}

  /** Resolves to the item's result; rejects with what `work` rejected with, or with a `GatherTimeout`. */
  add(item: Item): Promise<Result> {
    if (this.waiting.length >= this.limits.waitingMax) return Promise.reject(new GatherTimeout('too much waits already'));
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const entry: Entry<Item, Result> = { item, resolve, reject, overdue: false };
    entry.timer = setTimeout(() => {
      entry.overdue = true;
      reject(new GatherTimeout(`no result in ${this.limits.timeoutMs} ms`));
    }, this.limits.timeoutMs);
    this.waiting.push(entry);
    this.schedule();
    return promise;
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0 || this.underWay.size > 0) {
      await Promise.all(this.underWay);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** At the end of this turn of the event loop, so that requests that were read in it go together. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.begin();
    });
  }

  private begin(): void {
    while (this.waiting.length > 0 && this.underWay.size < this.limits.inFlightMax) {
      const batch = this.settle(this.waiting.splice(0, this.limits.batchSizeMax)).finally(() => {
        this.underWay.delete(batch);
        this.begin();
      });
      this.underWay.add(batch);
    }
  }

  private async settle(batch: readonly Entry<Item, Result>[]): Promise<void> {
    // Nobody waits for one that is overdue: doing it all the same would use up its proof for nothing.
    const entries = batch.filter((entry) => !entry.overdue);
    if (entries.length === 0) return;
    try {
      const results = await this.work(entries.map((entry) => entry.item));
      if (results.length !== entries.length) throw new Error(`${results.length} results for ${entries.length} items`);
      for (const [index, entry] of entries.entries()) {
        clearTimeout(entry.timer);
        entry.resolve(results[index]!);
      }
    } catch (error) {
      if (entries.length > 1 && this.limits.isFaultOfOne(error)) {
        for (const entry of entries) await this.settle([entry]);
        return;
      }
      for (const entry of entries) {
        clearTimeout(entry.timer);
        entry.reject(error);
      }
    }
  }
}
