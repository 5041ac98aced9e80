-- Made by `npm run generate` from the migrations of device-registry; a check fails when it drifts. Do not edit.

create table bindings (
  merchant_id text not null,
  cookie text not null,
  account_id text not null,
  device_id text not null,
  evidence text not null,
  registered_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  confidence text,
  constraint bindings_confidence_check CHECK ((confidence = ANY (ARRAY['hardware'::text, 'software'::text, 'unknown'::text]))),
  constraint bindings_merchant_id_device_id_evidence_fkey FOREIGN KEY (merchant_id, device_id, evidence) REFERENCES devices(merchant_id, device_id, evidence),
  constraint bindings_pkey PRIMARY KEY (merchant_id, cookie)
);
CREATE INDEX bindings_account ON bindings USING btree (merchant_id, account_id);
CREATE INDEX bindings_device ON bindings USING btree (merchant_id, device_id);
CREATE INDEX bindings_registered ON bindings USING btree (merchant_id, registered_at, cookie);

create table devices (
  merchant_id text not null,
  device_id text not null,
  evidence text not null,
  registered_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revocation_reason text,
  constraint devices_evidence_check CHECK ((evidence = ANY (ARRAY['proof'::text, 'asserted'::text]))),
  constraint devices_pkey PRIMARY KEY (merchant_id, device_id, evidence)
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

create table known_cookies (
  merchant_id text not null,
  cookie text not null,
  expires_at timestamp with time zone not null,
  constraint known_cookies_pkey PRIMARY KEY (merchant_id, cookie)
);
CREATE INDEX known_cookies_expiry ON known_cookies USING btree (expires_at);

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
