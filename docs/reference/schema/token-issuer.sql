-- Made by `npm run generate` from the migrations of token-issuer; a check fails when it drifts. Do not edit.

create table content_keys (
  merchant_id text not null,
  kid text not null,
  content_id text,
  wrapped_key text not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint content_keys_pkey PRIMARY KEY (merchant_id, kid)
);

create table cookie_joins (
  merchant_id text not null,
  cookie text not null,
  account_id text,
  expires_at timestamp with time zone,
  device_id text,
  evidence text,
  registered_at timestamp with time zone,
  confidence text,
  constraint cookie_joins_check CHECK (((device_id IS NULL) = (evidence IS NULL))),
  constraint cookie_joins_confidence_check CHECK ((confidence = ANY (ARRAY['proof'::text, 'hardware'::text, 'software'::text, 'unknown'::text]))),
  constraint cookie_joins_evidence_check CHECK ((evidence = ANY (ARRAY['proof'::text, 'asserted'::text]))),
  constraint cookie_joins_pkey PRIMARY KEY (merchant_id, cookie)
);

create table correlated_tokens (
  merchant_id text not null,
  cookie text not null,
  kid text not null,
  rights_type text not null,
  token_id text not null,
  content_id text not null,
  rights jsonb not null,
  play_clock text not null,
  constraint correlated_tokens_pkey PRIMARY KEY (merchant_id, cookie, kid, rights_type),
  constraint correlated_tokens_rights_type_check CHECK ((rights_type = ANY (ARRAY['purchase'::text, 'rental'::text])))
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

create table known_devices (
  merchant_id text not null,
  device_id text not null,
  revoked_at timestamp with time zone,
  constraint known_devices_pkey PRIMARY KEY (merchant_id, device_id)
);

create table late_purchases (
  merchant_id text not null,
  purchase_id text not null,
  cookie text not null,
  content_id text not null,
  kids text[] not null,
  rights jsonb not null,
  accepted_at timestamp with time zone not null default clock_timestamp(),
  constraint late_purchases_pkey PRIMARY KEY (merchant_id, purchase_id)
);
CREATE INDEX late_purchases_by_cookie ON late_purchases USING btree (merchant_id, cookie);

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

create table purchases (
  merchant_id text not null,
  purchase_id text not null,
  state text not null,
  code text,
  cookie text,
  cookie_expires_at timestamp with time zone,
  named_device_id text,
  content_id text,
  kids text[],
  rights jsonb,
  completed_at text,
  device_id text,
  token_id text,
  accepted_at timestamp with time zone not null default clock_timestamp(),
  refunded_at timestamp with time zone,
  refund_reason text,
  play_clock text,
  constraint purchases_check CHECK (((state = 'rejected'::text) = (code IS NOT NULL))),
  constraint purchases_check1 CHECK (((cookie IS NOT NULL) OR (state = 'refunded'::text))),
  constraint purchases_pkey PRIMARY KEY (merchant_id, purchase_id),
  constraint purchases_state_check CHECK ((state = ANY (ARRAY['awaiting-device'::text, 'issued'::text, 'rejected'::text, 'refunded'::text])))
);
CREATE INDEX purchases_by_cookie ON purchases USING btree (merchant_id, cookie, accepted_at) WHERE (state <> 'rejected'::text);
CREATE INDEX purchases_waiting_by_cookie ON purchases USING btree (merchant_id, cookie) WHERE (state = 'awaiting-device'::text);
CREATE INDEX purchases_waiting_by_expiry ON purchases USING btree (cookie_expires_at) WHERE (state = 'awaiting-device'::text);

create table received_events (
  event_id text not null,
  source text not null,
  slot smallint not null,
  constraint received_events_pkey PRIMARY KEY (event_id, source, slot)
) partition by LIST (slot);

create table signing_keys (
  key_id text not null,
  public_jwk jsonb not null,
  wrapped_key text not null,
  state text not null,
  announced_at timestamp with time zone not null default clock_timestamp(),
  activated_at timestamp with time zone,
  retired_at timestamp with time zone,
  constraint signing_keys_pkey PRIMARY KEY (key_id),
  constraint signing_keys_state_check CHECK ((state = ANY (ARRAY['announced'::text, 'active'::text, 'retired'::text])))
);
CREATE UNIQUE INDEX signing_keys_one_each ON signing_keys USING btree (state) WHERE (state <> 'retired'::text);

create table stored_keys (
  merchant_id text not null,
  kid text not null,
  ek text not null,
  kek_id text not null,
  info text,
  content_id text,
  expires_at timestamp with time zone,
  updated_at timestamp with time zone not null default clock_timestamp(),
  constraint stored_keys_pkey PRIMARY KEY (merchant_id, kid)
);
CREATE INDEX stored_keys_by_expiry ON stored_keys USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX stored_keys_by_update ON stored_keys USING btree (merchant_id, updated_at, kid);

create table token_requests (
  merchant_id text not null,
  idempotency_key text not null,
  request text not null,
  token_id text not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint token_requests_pkey PRIMARY KEY (merchant_id, idempotency_key)
);
CREATE INDEX token_requests_created ON token_requests USING btree (created_at);

create table tokens (
  token_id text not null,
  merchant_id text not null,
  purchase_id text,
  device_id text not null,
  token text not null,
  kek_ids text[] not null,
  signing_key_id text,
  issued_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  superseded_at timestamp with time zone,
  revoked_at timestamp with time zone,
  revoke_reason text,
  license_url text,
  "position" bigint default nextval('tokens_position'::regclass),
  constraint tokens_pkey PRIMARY KEY (token_id),
  constraint tokens_revoke_reason_check CHECK ((revoke_reason = ANY (ARRAY['refunded'::text, 'device-revoked'::text])))
);
CREATE INDEX tokens_ended_by_expiry ON tokens USING btree (expires_at) WHERE ((superseded_at IS NOT NULL) OR (revoked_at IS NOT NULL) OR (purchase_id IS NULL));
CREATE INDEX tokens_live_by_device ON tokens USING btree (merchant_id, device_id) WHERE ((superseded_at IS NULL) AND (revoked_at IS NULL));
CREATE UNIQUE INDEX tokens_one_live_per_purchase ON tokens USING btree (merchant_id, purchase_id) WHERE ((superseded_at IS NULL) AND (revoked_at IS NULL));

create table upstream_orders (
  merchant_id text not null,
  purchase_id text not null,
  correlation_id text,
  due_at timestamp with time zone not null,
  attempts integer not null default 0,
  lease_id uuid,
  last_failure text,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint upstream_orders_pkey PRIMARY KEY (merchant_id, purchase_id)
);
CREATE INDEX upstream_orders_due ON upstream_orders USING btree (merchant_id, due_at);

create table upstream_registrations (
  merchant_id text not null,
  cookie text not null,
  account_id text not null,
  cookie_expires_at timestamp with time zone not null,
  token_expires_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  attempts integer not null default 0,
  lease_id uuid,
  last_failure text,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint upstream_registrations_pkey PRIMARY KEY (merchant_id, cookie)
);
CREATE INDEX upstream_registrations_due ON upstream_registrations USING btree (merchant_id, due_at);

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
