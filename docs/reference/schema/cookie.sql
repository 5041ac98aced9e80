-- Made by `npm run generate` from the migrations of cookie; a check fails when it drifts. Do not edit.

create table cookies (
  merchant_id text not null,
  cookie text not null,
  account_id text not null,
  issued_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  bound_at timestamp with time zone,
  idempotency_key text,
  requested_ttl_seconds integer,
  constraint cookies_pkey PRIMARY KEY (merchant_id, cookie)
);
CREATE UNIQUE INDEX cookies_idempotency_key ON cookies USING btree (merchant_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX cookies_unbound_expiry ON cookies USING btree (expires_at) WHERE (bound_at IS NULL);

create table inbox_events (
  source text not null,
  event_id text not null,
  received_at timestamp with time zone not null default statement_timestamp(),
  constraint inbox_events_pkey PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_events_received ON inbox_events USING btree (received_at);
CREATE TRIGGER receive_event_once BEFORE INSERT ON public.inbox_events FOR EACH ROW EXECUTE FUNCTION receive_event_once();
CREATE TRIGGER unreceive_event AFTER DELETE ON public.inbox_events FOR EACH ROW WHEN ((old.received_at > (statement_timestamp() - '1 day'::interval))) EXECUTE FUNCTION unreceive_event();

create table outbox_events (
  "position" bigint not null generated always as identity,
  event_id text not null default (gen_random_uuid())::text,
  type text not null,
  correlation_id text,
  data json not null,
  created_at timestamp with time zone not null default statement_timestamp(),
  attempts integer not null default 0,
  available_at timestamp with time zone not null default statement_timestamp(),
  copy_for text,
  constraint outbox_events_pkey PRIMARY KEY ("position")
);
CREATE INDEX outbox_events_by_destination ON outbox_events USING btree (type, COALESCE(copy_for, ''::text), available_at);

create table received_events (
  event_id text not null,
  source text not null,
  slot smallint not null,
  constraint received_events_pkey PRIMARY KEY (event_id, source, slot)
) partition by LIST (slot);

CREATE OR REPLACE FUNCTION public.receive_event_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare
        slots smallint[] := array(
    select (day % 16)::smallint as slot
    from generate_series((((statement_timestamp() - interval '1 hour') at time zone 'utc')::date - date '2000-01-01'), ((statement_timestamp() at time zone 'utc')::date - date '2000-01-01')) as day);
        inserted integer;
      begin
        insert into received_events (source, event_id, slot)
        select new.source, new.event_id, slot from unnest(slots) as slot order by slot
        on conflict do nothing;
        get diagnostics inserted = row_count;
        if inserted < cardinality(slots) then return null; end if;
        perform from received_events
        where source = new.source and event_id = new.event_id and slot <> all (slots) limit 1;
        if found then return null; end if;
        return new;
      end $function$
;

CREATE OR REPLACE FUNCTION public.unreceive_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        delete from received_events where source = old.source and event_id = old.event_id;
        return null;
      end $function$
;
