import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Whatever runs SQL and answers rows: a transaction (`Tx`), or the database outside of one (`Reader`). */
export interface Rows {
  rows<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** Reads outside of a transaction, each statement for itself. */
@Injectable()
export class Reader implements Rows {
  constructor(private readonly dataSource: DataSource) {}

  async rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.dataSource.query(sql, [...parameters]);
  }
}

/** One text for a merchant's thing. A merchant's id holds no slash, so that two things never share a key. */
export function keyOf(merchantId: string, id: string): string {
  return `${merchantId}/${id}`;
}

/**
 * Another transaction wrote the same row first, in a way that no lock could foresee. It carries the SQLSTATE of a
 * serialization failure, so that `Outbox.transaction` begins anew and then sees that row.
 */
export class LostRace extends Error {
  override readonly name = 'LostRace';
  readonly code = '40001';
}
