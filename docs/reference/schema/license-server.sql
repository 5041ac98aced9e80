-- Made by `npm run generate` from the migrations of license-server; a check fails when it drifts. Do not edit.

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
