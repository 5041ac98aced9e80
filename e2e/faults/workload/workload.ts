import { setTimeout as delay } from 'node:timers/promises';
import { REVOCATION_BITES_MS } from '../checker/bound-device-only.js';
import type { History, Outcome } from '../history.js';
import type { Random } from '../random.js';
import type { Target } from '../system/target.js';
import { Actor } from './actor.js';
import { callGateway, outcomeOf } from './answers.js';
import { CheckoutLine } from './checkout-line.js';
import { Ledger } from './ledger.js';
import { stories } from './stories.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { pause, type World } from './world.js';

/** How long actors that are told to end may still try to learn what became of what they did. */
const ENDING_MS = 30_000;
const PAUSE_MS = { least: 20, most: 400 };
const KIDS = 3;
/** A purchase whose token is ordered upstream may be a moment from its end. */
const LAST_CALL_WAIT_SECONDS = 1;
const REVISITS = 0.25;
/** How long those who work after the others may try to learn what became of what they did. */
const LATE_MS = 60_000;
/** How many make the last calls at the same time. */
const CALLERS = 4;

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
    readonly receiver: WebhookReceiver,
  ) {
    const checkout = new CheckoutLine(target.checkoutAmqpUrl);
    const seller = { merchantId: target.merchantId, apiKey: target.apiKey };
    const [upstreamKid, ...own] = kids;
    this.world = { target, seller, history, ledger: new Ledger(), checkout, kids: own, upstreamKid: upstreamKid!, ending: this.#ending.signal, over: this.#over.signal };
  }

  /** Stores the content keys that everything else needs; no actor works yet. */
  static async prepare(target: Target, history: History, random: Random): Promise<Workload> {
    const kids = Array.from({ length: KIDS + 1 }, () => crypto.randomUUID().replaceAll('-', ''));
    const receiver = await WebhookReceiver.start();
    const workload = new Workload(target, history, kids, random, receiver);
    const [upstreamKid, ...own] = kids;
    const webhook = await callGateway(`${target.gatewayUrls()[0]!}/v1/webhooks`, target.apiKey, { method: 'POST', body: { url: receiver.url } });
    if (webhook.status !== 201) throw new Error(`No webhook could be made: ${webhook.status} ${JSON.stringify(webhook.body)}`);
    for (const kid of [...own, upstreamKid!]) {
      const apiKey = kid === upstreamKid ? target.upstreamSeller.apiKey : target.apiKey;
      const outcome = await history.run('merchant', { type: 'content-key', kid }, () => putContentKey(target, apiKey, kid));
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

  /** Tells every story once, all at the same time; resolves when all are over. */
  async tellAll(names: readonly string[] = Object.keys(stories)): Promise<void> {
    await Promise.all(names.map((name) => stories[name]!(this.lateActor('quiet', name))));
  }

  /**
   * Asks for the token of every order; and then, a second and a little later, for licences with all that was ever given:
   * the live ones open, no other does.
   */
  async lastCalls(): Promise<void> {
    const { orders, directTokens } = this.world.ledger;
    const actor = this.lateActor('epilogue', 'last calls');
    await inTurns(orders, (order) => actor.persist(async () => (await actor.token(order, LAST_CALL_WAIT_SECONDS)).outcome));
    await pause(REVOCATION_BITES_MS + 50, actor.world.over);
    const held = [...orders.filter(({ seller }) => seller.merchantId === this.world.seller.merchantId).flatMap(({ tokens }) => [...tokens.values()]), ...directTokens];
    await inTurns(held, (token) => actor.persist(async () => (await actor.license(token)).outcome));
  }

  /** Has actors end their stories; resolves when they have, or have been given up. */
  async end(): Promise<void> {
    this.#ending.abort();
    const ended = Promise.all(this.#actors);
    await Promise.race([ended, delay(ENDING_MS, undefined, { ref: false })]);
    this.#over.abort();
    await ended;
  }

  async close(): Promise<void> {
    await this.world.checkout.close();
    await this.receiver.stop();
  }

  /** One who works after the others have ended, and has time of his own. */
  lateActor(name: string, chance: string): Actor {
    const world = { ...this.world, ending: new AbortController().signal, over: AbortSignal.timeout(LATE_MS) };
    return new Actor(world, name, this.random.fork(`${name} ${chance}`));
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

/** Does something about each, a few at a time. */
async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
    }),
  );
}

async function putContentKey(target: Target, apiKey: string, kid: string): Promise<Outcome> {
  const key = crypto.randomUUID().replaceAll('-', '');
  const answer = await callGateway(`${target.gatewayUrls()[0]!}/v1/content-keys/${kid}`, apiKey, { method: 'PUT', body: { key } });
  return outcomeOf(answer, []);
}
