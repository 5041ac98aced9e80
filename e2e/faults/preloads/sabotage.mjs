// Breaks guarantees on purpose, one a lever, so that the suite can see its checkers notice. Here alone: the product has
// no such switches.
import { registerHooks } from 'node:module';
import { onConsume, onDelivery, original } from './amqp.mjs';
import { onQuery } from './database.mjs';
import { lever } from './levers.mjs';

const pulled = new Map();

function sabotage(name) {
  lever(
    name,
    (options) => pulled.set(name, options),
    () => pulled.delete(name),
  );
}

/** Replaces a part of a statement that must be there: a guarantee that moved elsewhere would otherwise look unbreakable. */
function replaced(text, part, other) {
  if (!text.includes(part)) throw new Error(`there is no longer "${part}" in: ${text}`);
  return { text: text.replace(part, other) };
}

// Acknowledges events of these types before they are handled, and then forgets them, as a crash in between would.
sabotage('ack-early');
// Takes events and never says anything of them again.
sabotage('deaf');
// Believes of every event that it came from the checkout, through the exchange of events.
sabotage('trust-everybody');
onDelivery.push((channel, queue, message, next) => {
  const type = message.properties.headers?.cloudEvents_type;
  if (!queue.endsWith('.in')) return next(message);
  if (pulled.get('ack-early')?.types.includes(type)) return original.ack.call(channel, message);
  if (pulled.has('deaf')) return undefined;
  if (!pulled.has('trust-everybody') || message.fields.exchange !== '') return next(message);
  const fields = { ...message.fields, exchange: 'latchkey.events', routingKey: type };
  return next({ ...message, fields, properties: { ...message.properties, userId: 'checkout' } });
});

// Does not begin to consume again.
sabotage('stop-consuming');
onConsume.push((_channel, queue, consumerTag) => consumerTag === undefined && queue.endsWith('.in') && pulled.has('stop-consuming'));

// Takes every event for one that it has not seen before.
sabotage('skip-inbox');
// Forgets which proofs were used.
sabotage('forget-proofs');
// Issues a token in place of another and lets that live on. The unique index has to be dropped as well.
sabotage('keep-superseded');
// Lets the outbox delete what was never published.
sabotage('publish-nothing');
onQuery.push((text) => {
  if (pulled.has('skip-inbox') && text.includes('insert into received_events')) {
    return replaced(text, 'on conflict do nothing', 'on conflict (source, event_id, slot) do update set event_id = excluded.event_id');
  }
  if (pulled.has('forget-proofs') && text.includes('insert into replay_marks')) {
    return replaced(text, 'on conflict do nothing', 'on conflict (thumbprint, jti) do update set seen_at = excluded.seen_at');
  }
  if (pulled.has('keep-superseded') && text.includes('set superseded_at')) {
    const { text: kept } = replaced(text, 'set superseded_at = statement_timestamp()', 'set superseded_at = null');
    return replaced(kept, 'superseded_at as "stoppedAt"', 'statement_timestamp() as "stoppedAt"');
  }
  if (pulled.has('publish-nothing') && text.includes('from outbox_events') && text.includes('skip locked')) {
    return { text: 'with lost as (delete from outbox_events where length($1::text) > 0) select 1 where false' };
  }
  return undefined;
});

// Holds on to memory.
let held = [];
lever(
  'leak',
  ({ mebibytes }) => held.push(Buffer.alloc(mebibytes * 1024 * 1024, 1)),
  () => (held = []),
);

// Gives licences to whoever has the token.
sabotage('any-device');
const BINDING_CHECK = 'cnf.jkt === thumbprint';
globalThis.faultsAnyDevice = () => pulled.has('any-device');
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/license/check-token.ts')) return loaded;
    const { text } = replaced(String(loaded.source), BINDING_CHECK, `globalThis.faultsAnyDevice() || ${BINDING_CHECK}`);
    return { ...loaded, source: text };
  },
});
