// Counts deliveries that the broker had made before: what a stop that is not graceful leaves behind.
import { onDelivery } from './amqp.mjs';
import { count } from './levers.mjs';

onDelivery.push((_channel, queue, message, next) => {
  if (message.fields.redelivered && queue.endsWith('.in')) count('redelivered');
  next(message);
});
