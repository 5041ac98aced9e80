import { Client } from 'pg';

/**
 * Everything of a database's schema that a program or an operator can notice, a line each: columns in their order, with
 * type, default and nullability; indexes and constraints with their validity; triggers, functions, partitions, storage
 * parameters.
 */
export async function schemaOf(url: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`
      with relations as (
        select oid, relname, relkind, reloptions, relispartition, relpartbound from pg_class
         where relnamespace = current_schema()::regnamespace and relname <> all($1)
      )
      select format('%s kind %s options %s partition %s %s', relname, relkind, reloptions, relispartition,
               pg_get_expr(relpartbound, oid)) as line
        from relations where relkind in ('r', 'p', 'S', 'v', 'm')
      union all
      select format('%s column %s %s %s not null %s default %s generated %s %s', relname,
               row_number() over (partition by relations.oid order by attnum), attname, format_type(atttypid, atttypmod),
               attnotnull, pg_get_expr(adbin, adrelid), attgenerated, attidentity)
        from relations join pg_attribute on attrelid = relations.oid and attnum > 0 and not attisdropped
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
       where relkind in ('r', 'p')
      union all
      select format('%s index %s valid %s', relname, pg_get_indexdef(indexrelid), indisvalid)
        from relations join pg_index on indrelid = relations.oid
      union all
      select format('%s constraint %s %s validated %s', relname, conname, pg_get_constraintdef(c.oid), convalidated)
        from relations join pg_constraint c on conrelid = relations.oid
      union all
      select format('%s trigger %s', relname, pg_get_triggerdef(t.oid))
        from relations join pg_trigger t on tgrelid = relations.oid where not tgisinternal
      union all
      select format('function %s', pg_get_functiondef(oid)) from pg_proc
       where pronamespace = current_schema()::regnamespace and prokind in ('f', 'p')
      order by 1`, [['upgrade_suite_migrations', 'upgrade_suite_migrations_pkey', 'migrations']]);
    return rows.map(({ line }) => line);
  } finally {
    await client.end();
  }
}
