import type { Client } from 'pg';
import type { FoundStatement } from './find-statements.js';

/** A statement that reads a large table without an index condition, or that cannot be planned. */
export interface SlowStatement extends FoundStatement {
  readonly why: string;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

const LARGE_ROWS = 10_000;
const isStatement = /^(?:select|insert|update|delete|with)\b/i;

/**
 * Asks PostgreSQL for the generic plan of each statement, which is the one that a prepared statement gets. Sequential scans are
 * priced out, so that one that is left means that no index serves at all, however the planner estimates.
 */
export async function findSlowStatements(
  client: Client,
  statements: readonly FoundStatement[],
  small: ReadonlySet<string> = new Set(),
): Promise<readonly SlowStatement[]> {
  await client.query('analyze');
  // A generic plan does not know how few rows a limit leaves, and would join by reading everything.
  for (const way of ['seqscan', 'hashjoin', 'mergejoin', 'material']) await client.query(`set enable_${way} = off`);
  const { rows } = await client.query<{ name: string }>(`select relname as name from pg_class where reltuples >= ${LARGE_ROWS} and relkind = 'r'`);
  const large = new Set(rows.map(({ name }) => name).filter((name) => !small.has(name)));
  const slow: SlowStatement[] = [];
  for (const statement of statements.filter(({ sql }) => isStatement.test(sql))) {
    try {
      const planned = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (generic_plan, format json) ${statement.sql}`);
      const reads = slowReads(planned.rows[0]!['QUERY PLAN'][0].Plan, large, false);
      if (reads.length > 0) slow.push({ ...statement, why: reads.join('; ') });
    } catch (error) {
      slow.push({ ...statement, why: `cannot be planned: ${(error as Error).message}` });
    }
  }
  return slow;
}

/** What a plan reads of large tables without an index condition. The first rows in an index's order cost as much as they are. */
function slowReads(node: PlanNode, large: ReadonlySet<string>, limited: boolean): string[] {
  const type = node['Node Type'];
  const table = node['Relation Name'];
  const below = (node.Plans ?? []).flatMap((plan) => slowReads(plan, large, limited || type === 'Limit'));
  if (table === undefined || !large.has(table) || type === 'ModifyTable' || type === 'Tid Scan' || type === 'Bitmap Heap Scan') return below;
  const inOrder = type.startsWith('Index') && limited && node.Filter === undefined;
  return node['Index Cond'] === undefined && !inOrder ? [...below, `${type} of ${table}`] : below;
}
