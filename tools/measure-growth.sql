-- What a row of each growing table takes on disk, with its indexes and what is stored out of line. Run it on a migrated, empty
-- database of any service: psql -f tools/measure-growth.sql <url>. All is rolled back; the space comes back with a vacuum.
begin;
set local client_min_messages = warning;
create temporary table measured (name text, bytes_per_row numeric);

do $$
declare
  rows constant integer := 100000;
  one record;
  -- An id and a 6 KiB token that do not compress, as real ones do not.
  id constant text := $id$ md5(n::text) $id$;
  token constant text := $t$ (select string_agg(md5(n::text || i::text), '') from generate_series(1, 192) as i) $t$;
begin
  for one in select * from (values
    ('cookies', 'merchant_id, cookie, account_id, issued_at, expires_at', format('''shop'', %s, %s, now(), now()', id, id)),
    ('devices', 'merchant_id, device_id, evidence, registered_at', format('''shop'', %s, ''proof'', now()', id)),
    ('bindings', 'merchant_id, cookie, account_id, device_id, evidence, registered_at, last_seen_at',
      format('''shop'', %s, %s, %s, ''proof'', now(), now()', id, id, id)),
    ('cookie_joins', 'merchant_id, cookie, account_id, expires_at, device_id, evidence, registered_at, confidence',
      format('''shop'', %s, %s, now(), %s, ''proof'', now(), ''proof''', id, id, id)),
    ('known_devices', 'merchant_id, device_id', format('''shop'', %s', id)),
    ('purchases', 'merchant_id, purchase_id, state, cookie, cookie_expires_at, content_id, kids, rights, completed_at, device_id, token_id',
      format('''shop'', %s, ''issued'', %s, now(), ''film-42'', array[%s], ''{"type":"purchase"}'', now()::text, %s, %s', id, id, id, id, id)),
    ('tokens', 'token_id, merchant_id, purchase_id, device_id, token, kek_ids, signing_key_id, issued_at, expires_at',
      format('%s, ''shop'', %s, %s, %s, array[''k1''], %s, now(), now()', id, id, id, token, id)),
    ('correlated_tokens', 'merchant_id, cookie, kid, rights_type, token_id, content_id, rights, play_clock',
      format('''shop'', %s, %s, ''purchase'', %s, ''film-42'', ''{"type":"purchase"}'', %s', id, id, id, id)),
    ('revoked_devices', 'merchant_id, device_id', format('''shop'', %s', id)),
    ('rental_clocks', 'merchant_id, subject, started_at, available_until', format('''shop'', ''purchase/'' || %s, now(), now()', id))
  ) as filled (name, columns, given)
  loop
    continue when to_regclass(one.name) is null;
    -- 6 KiB each: fewer rows tell the same.
    execute format('insert into %I (%s) select %s from generate_series(1, %s) as n', one.name, one.columns, one.given,
      case one.name when 'tokens' then rows / 10 else rows end);
    insert into measured select one.name,
      pg_total_relation_size(one.name::regclass)::numeric / case one.name when 'tokens' then rows / 10 else rows end;
  end loop;
end $$;

select name, round(bytes_per_row) as "bytes per row", pg_size_pretty(bytes_per_row * 1e7) as "10^7 rows" from measured order by name;
rollback;
