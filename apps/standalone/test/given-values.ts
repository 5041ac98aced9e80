import type { GivenValues } from './find-statements.js';

/** Expressions in statements that are not constants, with each of their values. */
export const given: GivenValues = {
  // What runs the statements that are found where they are given to it.
  'tx.ts#sql': [],
  'rows.ts#sql': [],
  "inbox.ts#slotsOf('statement_timestamp()')": ['select 3::smallint as slot'],
  "inbox.ts#slotsOf('transaction_timestamp()')": ['select 3::smallint as slot'],
  "inbox.ts#earlierSlotsOf('statement_timestamp()', '$3::timestamptz')": ['select 2::smallint as slot where $3::timestamptz is not null'],
  // Looks at the calendar, and empties one partition of the inbox.
  'inbox-slots.ts#next': [],
  'inbox-slots.ts#String(before).padStart(2, \'0\')': ['07'],
  'purchase-of-sale-store.ts#condition': [`kids = array[$3] and rights ->> 'type' = $4`, 'content_id = $3'],
  'signing-keys.ts#condition': ['order by published_at, key_id', 'and key_id = any($1::text[])'],
  'cookie-join-store.ts#list': ['*'],
  'token-store.ts#column': ['purchase_id', 'token_id', 'device_id'],
  'leased-rows.ts#this.table': ['upstream_orders'],
  'leased-rows.ts#this.id': ['purchase_id'],
  // A command of an operator, who goes through the whole table once, in the order of its key.
  'rewrap-all.ts#table.select': [],
  'rewrap-all.ts#table.update': [],
  'delivery-store.ts#forgettable[reason]': [
    `state <> 'pending' and settled_at < statement_timestamp() - make_interval(days => $1)`,
    `state = 'pending' and due_at < statement_timestamp() - make_interval(days => $1)
       and webhook_id in (select webhook_id from webhooks where disabled_at is not null)`,
  ],
  // The others are under `composed`.
  'housekeeping.ts#table': ['replay_marks'],
  'housekeeping.ts#forgettable': ['seen_at < statement_timestamp() - make_interval(secs => 146)'],
};
