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
  received_at timestamp with time zone not null default clock_timestamp(),
  constraint inbox_events_pkey PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_events_received ON inbox_events USING btree (received_at);

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
  created_at timestamp with time zone not null default clock_timestamp(),
  attempts integer not null default 0,
  available_at timestamp with time zone not null default clock_timestamp(),
  copy_for text,
  constraint outbox_events_pkey PRIMARY KEY ("position")
);
CREATE INDEX outbox_events_by_destination ON outbox_events USING btree (type, COALESCE(copy_for, ''::text), available_at);
