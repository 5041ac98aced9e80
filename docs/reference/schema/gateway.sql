-- Made by `npm run generate` from the migrations of gateway; a check fails when it drifts. Do not edit.

create table api_keys (
  key_id text not null,
  merchant_id text not null,
  env text not null,
  hash bytea not null,
  scopes text[] not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(merchant_id),
  constraint api_keys_pkey PRIMARY KEY (key_id)
);
CREATE INDEX api_keys_merchant ON api_keys USING btree (merchant_id);

create table feed_events (
  "position" bigint not null generated always as identity,
  sequence bigint,
  merchant_id text not null,
  type text not null,
  data text not null,
  purchase_id text,
  received_at timestamp with time zone not null default clock_timestamp(),
  occurred_at text,
  constraint feed_events_pkey PRIMARY KEY ("position"),
  constraint feed_events_sequence_key UNIQUE (sequence)
);
CREATE INDEX feed_events_merchant ON feed_events USING btree (merchant_id, sequence);
CREATE INDEX feed_events_received ON feed_events USING btree (received_at);
CREATE INDEX feed_events_waiting ON feed_events USING btree ("position") WHERE (sequence IS NULL);

create table feed_state (
  singleton boolean not null default true,
  last_sequence bigint not null,
  constraint feed_state_pkey PRIMARY KEY (singleton),
  constraint feed_state_singleton_check CHECK (singleton)
);

create table inbox_events (
  source text not null,
  event_id text not null,
  received_at timestamp with time zone not null default statement_timestamp(),
  constraint inbox_events_pkey PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_events_received ON inbox_events USING btree (received_at);
CREATE TRIGGER receive_event_once BEFORE INSERT ON public.inbox_events FOR EACH ROW EXECUTE FUNCTION receive_event_once();
CREATE TRIGGER unreceive_event AFTER DELETE ON public.inbox_events FOR EACH ROW WHEN ((old.received_at > (statement_timestamp() - '1 day'::interval))) EXECUTE FUNCTION unreceive_event();

create table merchants (
  merchant_id text not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint merchants_pkey PRIMARY KEY (merchant_id)
);

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

create table webhook_deliveries (
  delivery_id text not null,
  webhook_id text not null,
  sequence bigint not null,
  type text not null,
  occurred_at text not null,
  data text not null,
  state text not null default 'pending'::text,
  attempts integer not null default 0,
  series_attempts integer not null default 0,
  asked_for boolean not null default false,
  created_at timestamp with time zone not null default clock_timestamp(),
  series_started_at timestamp with time zone not null default clock_timestamp(),
  due_at timestamp with time zone not null default clock_timestamp(),
  lease_id uuid,
  leased_until timestamp with time zone,
  last_attempt_at timestamp with time zone,
  last_status integer,
  last_failure text,
  settled_at timestamp with time zone,
  constraint webhook_deliveries_pkey PRIMARY KEY (delivery_id),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
  constraint webhook_deliveries_webhook_id_sequence_key UNIQUE (webhook_id, sequence)
);
CREATE INDEX webhook_deliveries_asked_for ON webhook_deliveries USING btree (webhook_id) WHERE ((state = 'pending'::text) AND asked_for);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries USING btree (webhook_id, due_at) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_series ON webhook_deliveries USING btree (series_started_at) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries USING btree (settled_at) WHERE (state <> 'pending'::text);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries USING btree (webhook_id, state, sequence);

create table webhooks (
  webhook_id text not null,
  merchant_id text not null,
  url text not null,
  event_types text[],
  description text,
  secret text not null,
  previous_secret text,
  previous_secret_until timestamp with time zone,
  created_at timestamp with time zone not null default clock_timestamp(),
  failing_since timestamp with time zone,
  disabled_at timestamp with time zone,
  constraint webhooks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants(merchant_id),
  constraint webhooks_pkey PRIMARY KEY (webhook_id)
);
CREATE INDEX webhooks_merchant ON webhooks USING btree (merchant_id);

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
