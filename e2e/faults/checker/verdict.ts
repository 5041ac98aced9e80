/** The invariants by their numbers in the report. */
export const invariants = {
  I1: 'every accepted purchase whose device registered ends with a live token or a typed end',
  I2: 'never two live tokens for a purchase',
  I3: 'no token without an accepted purchase or request',
  I4: 'every read model equals the fold of its source',
  I5: 'outbox, retry and in-flight drain to zero',
  I6: 'memory and backlog are bounded',
  I7: 'every queue has its consumers again',
  I8: 'no licence to another device, none after a revocation was visible for a second',
  I9: 'a proof is worth one licence, across replicas and restarts',
  I10: 'every event of the feed reaches the webhook, twice only around a fault',
} as const;
export type Invariant = keyof typeof invariants;

/** One way in which an invariant did not hold, with the operations (by index) that show it. */
export interface Breach {
  readonly what: string;
  readonly entries: readonly number[];
}

/** What a checker found. */
export interface Verdict {
  readonly invariant: Invariant;
  /** How often each aspect of the invariant was put to the test. One at 0 was not tried, and nothing is known of it. */
  readonly tried: Readonly<Record<string, number>>;
  readonly broken: readonly Breach[];
}

/** Gathers what a checker finds. Every aspect is named beforehand, so that one that is never met shows as not tried. */
export class Findings<Aspect extends string> {
  readonly #tried: Record<Aspect, number>;
  readonly #broken: Breach[] = [];

  constructor(
    private readonly invariant: Invariant,
    aspects: readonly Aspect[],
  ) {
    this.#tried = Object.fromEntries(aspects.map((aspect) => [aspect, 0])) as Record<Aspect, number>;
  }

  /** Says that an aspect was put to the test. */
  try(aspect: Aspect, times = 1): void {
    this.#tried[aspect] += times;
  }

  /** Notes a breach. */
  breach(what: string, ...entries: readonly { readonly index: number }[]): void {
    this.#broken.push({ what, entries: entries.map(({ index }) => index) });
  }

  verdict(): Verdict {
    return { invariant: this.invariant, tried: { ...this.#tried }, broken: [...this.#broken] };
  }
}

/** The aspects that were not put to the test. */
export function notTried({ tried }: Verdict): readonly string[] {
  return Object.keys(tried).filter((aspect) => tried[aspect] === 0);
}

/** How much was put to the test altogether. */
export function triedInAll({ tried }: Verdict): number {
  return Object.values(tried).reduce((sum, times) => sum + times, 0);
}
