// What slows a process down or misleads it, without ending it.
import { onDelivery } from './amqp.mjs';
import { onQuery } from './database.mjs';
import { count, lever } from './levers.mjs';

/** How long each batch of events takes longer, in milliseconds. */
let slowMs = 0;
lever(
  'slow',
  ({ delayMs }) => (slowMs = delayMs),
  () => (slowMs = 0),
);

/** How long the next batch hangs, in milliseconds; 0 once one hangs. */
let hangMs = 0;
lever(
  'hang-once',
  ({ delayMs }) => (hangMs = delayMs),
  () => (hangMs = 0),
);

onQuery.push((text) => {
  if (!text.includes('insert into received_events')) return undefined;
  if (hangMs > 0) {
    const delayMs = hangMs;
    hangMs = 0;
    count('hung');
    return { delayMs };
  }
  return slowMs > 0 ? { delayMs: slowMs } : undefined;
});

/**
 * How much longer one statement in eight takes at most, in milliseconds. The others are quick: so one transaction stands
 * still between two of its statements while others begin and commit.
 */
let jitterMs = 0;
lever(
  'jitter',
  ({ mostMs }) => (jitterMs = mostMs),
  () => (jitterMs = 0),
);
onQuery.push(() => (jitterMs > 0 && Math.random() < 1 / 8 ? { delayMs: Math.random() * jitterMs } : undefined));

/** A number from 0 to 1 each time, as the seed decides; undefined while nothing is shuffled. */
let chance;
let gatherMs = 0;
lever(
  'shuffle',
  (options) => {
    let state = options.seed;
    gatherMs = options.gatherMs;
    // Numerical Recipes' linear congruential generator: any will do that the seed decides.
    chance = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  },
  () => (chance = undefined),
);

// Whoever published it, and whatever order the queue has: what comes within a while reaches the handlers in any order. Only
// contents change places. Delivery tags stay in theirs, for which AMQP gives its word and by which many are acknowledged at once.
const gathered = new Map();
onDelivery.push((channel, queue, message, next) => {
  const waiting = gathered.get(channel);
  if (waiting) return waiting.push({ message, next });
  if (!chance || !queue.endsWith('.in')) return next(message);
  const first = [{ message, next }];
  gathered.set(channel, first);
  return setTimeout(() => {
    gathered.delete(channel);
    const order = first.map((_, index) => index);
    for (let last = order.length - 1; last > 0 && chance; last -= 1) {
      const other = Math.floor(chance() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    order.forEach((from, to) => {
      if (from > to) count('overtook');
      const { content, properties, fields } = first[from].message;
      first[to].next({ content, properties, fields: { ...fields, deliveryTag: first[to].message.fields.deliveryTag } });
    });
  }, gatherMs);
});

// The clock that programs read. Timers and timeouts go by another, which does not jump.
const RealDate = globalThis.Date;
let offsetMs = 0;
const now = () => {
  count('clock-read');
  return RealDate.now() + offsetMs;
};
const ShiftedDate = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === ShiftedDate ? target : newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
lever(
  'clock',
  (options) => {
    offsetMs = options.offsetMs;
    globalThis.Date = ShiftedDate;
  },
  () => {
    offsetMs = 0;
    globalThis.Date = RealDate;
  },
);
