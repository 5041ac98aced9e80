/**
 * Keeps an answer for a while, asks once however many want it, and goes on with the last known one while the asked
 * service is away: tokens that are out in the world must stay verifiable.
 */
export class JwksCache<T> {
  private known: { readonly value: T; readonly freshUntilMs: number } | undefined;
  private asking: Promise<T> | undefined;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly freshMs: number,
    private readonly now: () => number,
  ) {}

  /** What is known and fresh, else what is asked for, else what was known last. Rejects as `ask` does where nothing is known. */
  async get(): Promise<T> {
    if (this.known && this.now() < this.known.freshUntilMs) return this.known.value;
    this.asking ??= this.refresh().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async refresh(): Promise<T> {
    try {
      return this.keep(await this.ask());
    } catch (error) {
      if (!this.known) throw error;
      // Kept as if fresh: otherwise each caller would wait out the timeout of a service that is away.
      return this.keep(this.known.value);
    }
  }

  private keep(value: T): T {
    this.known = { value, freshUntilMs: this.now() + this.freshMs };
    return value;
  }
}
