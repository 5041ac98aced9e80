import { setTimeout as delay } from 'node:timers/promises';
import { History, type Outcome } from '../history.js';
import type { Random } from '../random.js';
import type { Target } from '../system/target.js';
import { Actor } from './actor.js';
import { callGateway, outcomeOf } from './answers.js';
import { CheckoutLine } from './checkout-line.js';
import { Ledger } from './ledger.js';
import { stories } from './stories.js';
import { pause, type World } from './world.js';

/** How long actors that are told to end may still try to learn what became of what they did. */
const ENDING_MS = 30_000;
const PAUSE_MS = { least: 20, most: 400 };
const KIDS = 3;
const REVISITS = 0.25;

/** Actors at work. */
export class Workload {
  readonly #ending = new AbortController();
  readonly #over = new AbortController();
  readonly #actors: Promise<void>[] = [];
  readonly world: World;

  private constructor(
    target: Target,
    history: History,
    kids: readonly string[],
    private readonly random: Random,
  ) {
    const checkout = new CheckoutLine(target.checkoutAmqpUrl);
    this.world = { target, history, ledger: new Ledger(), checkout, kids, ending: this.#ending.signal, over: this.#over.signal };
  }

  /** Stores the content keys that everything else needs; no actor works yet. */
  static async prepare(target: Target, history: History, random: Random): Promise<Workload> {
    const kids = Array.from({ length: KIDS }, () => crypto.randomUUID().replaceAll('-', ''));
    const workload = new Workload(target, history, kids, random);
    for (const kid of kids) {
      const outcome = await history.run('merchant', { type: 'content-key', kid }, () => putContentKey(target, kid));
      if (outcome.kind !== 'ok') throw new Error(`No content key could be stored: ${JSON.stringify(outcome)}`);
    }
    return workload;
  }

  /** Sets so many actors to work, on stories of these names (all, unless told) picked by their own chance. */
  start(actors: number, names: readonly string[] = Object.keys(stories)): void {
    for (let nth = 0; nth < actors; nth += 1) {
      const name = `actor-${nth + this.#actors.length}`;
      this.#actors.push(this.#work(new Actor(this.world, name, this.random.fork(name)), names));
    }
  }

  /** Tells every story once, all at the same time, as `epilogue` or whoever is named; resolves when all are over. */
  async tellAll(actor = 'prologue', names: readonly string[] = Object.keys(stories)): Promise<void> {
    await Promise.all(names.map((name) => stories[name]!(new Actor(this.world, actor, this.random.fork(`${actor} ${name}`)))));
  }

  /** Has actors end their stories; resolves when they have, or have been given up. */
  async end(): Promise<void> {
    this.#ending.abort();
    const ended = Promise.all(this.#actors);
    await Promise.race([ended, delay(ENDING_MS, undefined, { ref: false })]);
    this.#over.abort();
    await ended;
    await this.world.checkout.close();
  }

  async #work(actor: Actor, names: readonly string[]): Promise<void> {
    const news = names.filter((name) => name !== 'revisit');
    while (!this.world.ending.aborted) {
      const again = names.includes('revisit') && actor.random.chance(REVISITS);
      await stories[again ? 'revisit' : actor.random.pick(news)]!(actor);
      await pause(actor.random.between(PAUSE_MS.least, PAUSE_MS.most), this.world.ending);
    }
  }
}

async function putContentKey(target: Target, kid: string): Promise<Outcome> {
  const key = crypto.randomUUID().replaceAll('-', '');
  const answer = await callGateway(`${target.gatewayUrls()[0]!}/v1/content-keys/${kid}`, target.apiKey, { method: 'PUT', body: { key } });
  return outcomeOf(answer, []);
}
