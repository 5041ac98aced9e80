// Counts what a stop that was not graceful would cause: deliveries that the broker made before (`redelivered`), and of
// those the ones that had been handled to the end all the same (`handled-again`).
import { onDelivery } from './amqp.mjs';
import { onQuery } from './database.mjs';
import { count } from './levers.mjs';

const redelivered = new Set();

onDelivery.push((_channel, queue, message, next) => {
  if (message.fields.redelivered && queue.endsWith('.in')) {
    count('redelivered');
    const headers = message.properties.headers ?? {};
    redelivered.add(JSON.stringify([headers.cloudEvents_source, headers.cloudEvents_id]));
  }
  next(message);
});

onQuery.push((text, values) => {
  if (redelivered.size === 0 || !text.startsWith('insert into inbox_events')) return undefined;
  const [sources, ids] = values;
  const asked = ids.map((id, index) => JSON.stringify([sources[index], id])).filter((key) => redelivered.delete(key));
  if (asked.length === 0) return undefined;
  const look = ({ rows }) => {
    const fresh = new Set(rows.map((row) => JSON.stringify([row.source, row.event_id])));
    count('handled-again', asked.filter((key) => !fresh.has(key)).length);
  };
  return { look };
});
