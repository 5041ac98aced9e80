import { sqlStateOf } from '@latchkey/outbox';

/** Whether a statement failed for what one of its rows holds: data, integrity or size (SQLSTATE classes 22, 23, 54). */
export function isFaultOfOneRow(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlStateOf(error) ?? '');
}
