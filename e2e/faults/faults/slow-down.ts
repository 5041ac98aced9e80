import { setTimeout as delay } from 'node:timers/promises';
import { Middleman, underNewId } from '../system/middleman.js';
import type { Fault } from './fault.js';
import { services } from '../system/target.js';
import { within } from './pause.js';

const HOUR_MS = 3_600_000;
const SPIKE = 800;

/** One replica's clock is an hour off, this way or that, and then right again. */
export const clockAnHourOff: Fault = {
  name: 'clock-an-hour-off',
  async strike(system, random) {
    const replica = random.pick(system.of(random.pick(services)));
    await replica.inside.pull({ lever: 'clock', options: { offsetMs: random.pick([-HOUR_MS, HOUR_MS]) } });
    await delay(random.between(4_000, 7_000));
    const { 'clock-read': read = 0 } = await replica.inside.counts();
    await replica.inside.release('clock');
    return read > 0 ? 1 : 0;
  },
};

/** Ten times as many purchases as usual while the issuer takes its time: they wait, and nothing else does. */
export const slowConsumerUnderSpike: Fault = {
  name: 'slow-consumer-under-a-spike',
  repeatsEvents: true,
  async strike(system, random) {
    const middleman = await Middleman.begin(system, (routingKey) => routingKey === 'purchase.completed.v1');
    try {
      await within(8_000, () => middleman.seen.length >= 10);
      if (middleman.seen.length === 0) return 0;
      await system.pullInAll('token-issuer', { lever: 'slow', options: { delayMs: random.between(300, 1_200) } });
      const spike = Array.from({ length: SPIKE }, () => middleman.publish(underNewId(random.pick(middleman.seen))));
      const outcomes = await Promise.allSettled(spike);
      await delay(4_000);
      return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
    } finally {
      await system.releaseInAll('token-issuer', 'slow');
      await middleman.end();
    }
  },
};

/** A handler hangs until the broker gives its consumer up, takes the messages back, and closes the channel. */
export const hangingHandler: Fault = {
  name: 'handler-hangs-past-the-consumer-timeout',
  heavy: true,
  async strike(system, random) {
    const replica = random.pick(system.of(random.pick(services)));
    const closings = (): number => replica.printed().split('PRECONDITION_FAILED').length - 1;
    const before = closings();
    await replica.inside.pull({ lever: 'hang-once', options: { delayMs: 50_000 } });
    const hung = await within(15_000, async () => ((await replica.inside.counts())['hung'] ?? 0) > 0);
    await replica.inside.release('hang-once');
    if (hung) await within(45_000, () => closings() > before);
    return closings() - before;
  },
};
