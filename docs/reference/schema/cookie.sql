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
  received_at timestamp with time zone not null default clock_timestamp(),
  constraint inbox_events_pkey PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_events_received ON inbox_events USING btree (received_at);

create table outbox_events (
  "position" bigint not null generated always as identity,
  event_id text not null default (gen_random_uuid())::text,
  type text not null,
  correlation_id text,
  data json not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  attempts integer not null default 0,
  available_at timestamp with time zone not null default clock_timestamp(),
  copy_for text,
  constraint outbox_events_pkey PRIMARY KEY ("position")
);
CREATE INDEX outbox_events_by_destination ON outbox_events USING btree (type, COALESCE(copy_for, ''::text), available_at);
