import { eventually } from '@latchkey/kits';
import type { Sample } from './final-state.js';
import { nowMs } from './history.js';
import type { Target } from './system/target.js';

const INTERVAL_MS = 1_000;
/** How long after the start the management API may take to know of all consumers. */
const BASELINE_TIMEOUT_MS = 20_000;

/** Looks at queues and processes every second. What cannot be looked at while it is down is left out. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  constructor(private readonly target: Target) {
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
  }

  /** One look, now. Rejects where it cannot be had. */
  static async take(target: Target): Promise<Sample> {
    const [queues, memory] = await Promise.all([target.queues(), target.memory()]);
    return { atMs: nowMs(), queues, memory };
  }

  stop(): readonly Sample[] {
    clearInterval(this.#timer);
    return this.samples;
  }

  async #look(): Promise<void> {
    // A management API that hangs must not gather looks.
    if (this.#looking) return;
    this.#looking = true;
    const sample = await Sampler.take(this.target).catch(() => undefined);
    if (sample) this.samples.push(sample);
    this.#looking = false;
  }
}

/** What is there before anything happens, once the management API has seen every replica's consumers. */
export async function takeBaseline(target: Target): Promise<Sample> {
  const replicas = target.gatewayUrls().length;
  return eventually(
    async () => {
      const sample = await Sampler.take(target);
      const missing = sample.queues.find(({ name, consumers }) => name.endsWith('.in') && consumers < replicas);
      if (missing || sample.queues.length === 0) throw new Error(`queue ${missing?.name ?? 'none'} has not got its consumers`);
      return sample;
    },
    { timeoutMs: BASELINE_TIMEOUT_MS, intervalMs: 500 },
  );
}
