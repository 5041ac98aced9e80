interface Footprint {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
}

/**
 * Learns which tables each participant reads and writes. A statement is local if no other participant can tell whether
 * it ran before or after one of its own. To switch right after a local statement is the same as to switch right before
 * it, so that one of the two orders need not be tried.
 */
export class Footprints {
  private readonly of = new Map<string, Footprint>();
  private readonly patterns: ReadonlyMap<string, RegExp>;

  /** `sharedNothing` are tables in which participants never meet, because each writes rows of its own. */
  constructor(
    tables: readonly string[],
    private readonly sharedNothing: readonly string[],
  ) {
    this.patterns = new Map(tables.map((table) => [table, new RegExp(`\\b${table}\\b`, 'i')]));
  }

  /** Notes a statement that was released. */
  note(participant: string, sql: string): void {
    const mine = this.of.get(participant) ?? { reads: new Set(), writes: new Set() };
    this.of.set(participant, mine);
    const { reads, writes } = this.footprint(sql);
    for (const table of reads) mine.reads.add(table);
    for (const table of writes) mine.writes.add(table);
  }

  /** Whether no other participant, as far as is known, can tell when this statement ran. */
  isLocal(participant: string, sql: string): boolean {
    // Who has an advisory lock is what others can tell, though no table shows it.
    if (/^\s*(commit|rollback)|pg_(try_)?advisory/i.test(sql)) return false;
    const { reads, writes } = this.footprint(sql);
    return [...this.of].every(([name, other]) => {
      if (name === participant) return true;
      return (
        [...reads].every((table) => !other.writes.has(table)) &&
        [...writes].every((table) => !other.reads.has(table) && !other.writes.has(table))
      );
    });
  }

  private footprint(sql: string): Footprint {
    const named = [...this.patterns]
      .filter(([table, pattern]) => !this.sharedNothing.includes(table) && pattern.test(sql))
      .map(([table]) => table);
    const changes = /\b(insert\s+into|update|delete\s+from|for\s+(no\s+key\s+)?update|for\s+(key\s+)?share)\b/i.test(
      sql,
    );
    return { reads: new Set(named), writes: new Set(changes ? named : []) };
  }
}
