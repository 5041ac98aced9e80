import type { Sample } from './final-state.js';
import { nowMs } from './history.js';
import type { Target } from './system/target.js';

const INTERVAL_MS = 1_000;

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
