import type { Client } from 'pg';

const ROWS_DEFAULT = 50;

/** What a check constraint asks for that no rule below finds. By column. */
const values: Readonly<Record<string, string>> = {
  subject: `'purchase/' || n`,
  // A purchase without one has to be refunded.
  cookie: `'cookie-' || n`,
  // Each partition of the inbox has a number from 0 to 15.
  slot: 'n % 16',
};

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** The first value of `column in (…)`. */
  readonly allowed: string | null;
  /** The column of another table that it is a foreign key to. */
  readonly references: string | null;
}

/**
 * Puts rows into every table that has none, so that the next migration meets data as in operation: a column that must
 * not be null fails on it, and on an empty table it does not. Throws for a table that the rules do not fit.
 */
export async function fillTables(client: Client, rows = ROWS_DEFAULT): Promise<void> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select relname as name from pg_class
      where relkind in ('r', 'p') and not relispartition and relnamespace = current_schema()::regnamespace order by oid`,
  );
  for (const { name } of tables) {
    const { rowCount } = await client.query(`select from ${name} limit 1`);
    if (rowCount === 0) await fill(client, name, rows);
  }
}

async function fill(client: Client, table: string, rows: number): Promise<void> {
  const columns = (await columnsOf(client, table)).filter(({ name, required }) => required || name in values);
  const names = columns.map(({ name }) => name).join(', ');
  try {
    // Some tables allow one row in each state.
    await client.query(
      `insert into ${table} (${names}) select ${columns.map(valueOf).join(', ')} from generate_series(1, ${rows}) n
       on conflict do nothing`,
    );
  } catch (error) {
    throw new Error(`${table} cannot be filled: add a value to fill-tables.ts. ${(error as Error).message}`, { cause: error });
  }
}

async function columnsOf(client: Client, table: string): Promise<readonly Column[]> {
  const { rows } = await client.query<Column>(
    `select a.attname as name, format_type(a.atttypid, null) as type,
            a.attnotnull and not a.atthasdef and a.attidentity = '' as required,
            (select substring(pg_get_constraintdef(c.oid) from 'ARRAY\\[(''[^'']*'')') from pg_constraint c
              where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum] limit 1) as allowed,
            (select f.attname
               from pg_constraint c join pg_attribute f on f.attrelid = c.confrelid
                and f.attnum = c.confkey[array_position(c.conkey, a.attnum)]
              where c.conrelid = a.attrelid and c.contype = 'f' and a.attnum = any(c.conkey) limit 1) as "references"
       from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped`,
    [table],
  );
  return rows;
}

function valueOf({ name, type, allowed, references }: Column): string {
  const given = values[name];
  if (given !== undefined) return given;
  // The row of the same number there, which was filled by the same rule.
  if (references === 'evidence') return `'proof'`;
  if (references !== null) return type === 'text' ? `'${references}-' || n` : `n::${type}`;
  if (allowed !== null) return allowed;
  if (type === 'boolean') return 'true';
  if (type === 'text') return `'${name}-' || n`;
  if (type.endsWith('[]')) return `array['${name}-' || n]::${type}`;
  if (type.startsWith('timestamp')) return 'now()';
  if (type === 'date') return 'current_date';
  if (type === 'json' || type === 'jsonb') return `'{}'::${type}`;
  if (type === 'bytea') return `'\\x00'::bytea`;
  if (type === 'uuid') return 'gen_random_uuid()';
  return `n::${type}`;
}
