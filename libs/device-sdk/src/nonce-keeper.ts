/**
 * How long a nonce is taken for good, in milliseconds. Servers honour it for five minutes; whoever comes with an older one
 * is sent for another, which some players take for the end.
 */
const GOOD_FOR_MS = 4 * 60_000;

/** The last nonce of the server (RFC 9449 §8.2), which is good for several proofs. */
export class NonceKeeper {
  private kept: { readonly nonce: string; readonly atMs: number } | undefined;

  /** The last nonce, also where it may be too old: the server then says so, with another. */
  get last(): string | undefined {
    return this.kept?.nonce;
  }

  /** Whether the server will most likely take it. */
  isFresh(nowMs: number): boolean {
    return this.kept !== undefined && Math.abs(nowMs - this.kept.atMs) < GOOD_FOR_MS;
  }

  /** Keeps the nonce of an answer, where it had one. */
  keep(nonce: string | null | undefined, nowMs: number): void {
    if (nonce) this.kept = { nonce, atMs: nowMs };
  }
}
