// What slows a process down or misleads it, without ending it.
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
  if (!text.startsWith('insert into inbox_events')) return undefined;
  if (hangMs > 0) {
    const delayMs = hangMs;
    hangMs = 0;
    count('hung');
    return { delayMs };
  }
  return slowMs > 0 ? { delayMs: slowMs } : undefined;
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
