-- Made by `npm run generate` from the migrations of license-server; a check fails when it drifts. Do not edit.

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

create table rental_clocks (
  merchant_id text not null,
  subject text not null,
  started_at timestamp with time zone not null,
  available_until timestamp with time zone not null,
  constraint rental_clocks_pkey PRIMARY KEY (merchant_id, subject),
  constraint rental_clocks_subject_check CHECK ((subject ~ '^(purchase|token)/'::text))
);
CREATE INDEX rental_clocks_of_purchases ON rental_clocks USING btree (available_until) WHERE (subject ~~ 'purchase/%'::text);
CREATE INDEX rental_clocks_of_tokens ON rental_clocks USING btree (available_until) WHERE (subject ~~ 'token/%'::text);

create table replay_marks (
  thumbprint text not null,
  jti text not null,
  seen_at timestamp with time zone not null,
  constraint replay_marks_pkey PRIMARY KEY (thumbprint, jti)
);
CREATE INDEX replay_marks_seen ON replay_marks USING btree (seen_at);

create table retired_signing_keys (
  key_id text not null,
  trusted_until timestamp with time zone not null,
  constraint retired_signing_keys_pkey PRIMARY KEY (key_id)
);

create table revocation_knowledge (
  only_row boolean not null default true,
  current_at timestamp with time zone not null,
  constraint revocation_knowledge_only_row_check CHECK (only_row),
  constraint revocation_knowledge_pkey PRIMARY KEY (only_row)
);

create table revoked_devices (
  merchant_id text not null,
  device_id text not null,
  heard_at timestamp with time zone not null default clock_timestamp(),
  constraint revoked_devices_pkey PRIMARY KEY (merchant_id, device_id)
);

create table revoked_tokens (
  merchant_id text not null,
  token_id text not null,
  expires_at timestamp with time zone not null,
  constraint revoked_tokens_pkey PRIMARY KEY (merchant_id, token_id)
);
CREATE INDEX revoked_tokens_expires ON revoked_tokens USING btree (expires_at);

create table signing_keys (
  key_id text not null,
  x text not null,
  y text not null,
  published_at timestamp with time zone not null,
  constraint signing_keys_pkey PRIMARY KEY (key_id)
);

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
