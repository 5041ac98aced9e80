import { FakeDevice } from '@latchkey/kits';
import { entriesOf, succeeded } from '../checker/reading.js';
import type { History } from '../history.js';
import type { Terms } from '../operation.js';
import type { Random } from '../random.js';
import type { System } from '../system/system.js';
import { Actor } from '../workload/actor.js';
import { CheckoutLine } from '../workload/checkout-line.js';
import { type HeldToken, Ledger, type Order } from '../workload/ledger.js';

/** How long a visitor tries again what is unknown. A fault that takes longer has failed. */
const VISIT_MS = 240_000;
const TOKEN_WAIT_SECONDS = 5;

/** A customer whose device has a token. */
export interface Customer {
  readonly order: Order;
  readonly held: HeldToken;
}

/** A customer of a fault's own. What it does stands in the history, so that the checkers judge it too. */
export class Visitor {
  private constructor(
    readonly actor: Actor,
    private readonly checkout: CheckoutLine,
  ) {}

  static begin(system: System, history: History, random: Random): Visitor {
    const stored = entriesOf(history.entries(), 'content-key').filter(succeeded);
    const kids = stored.map(({ operation }) => operation.kid);
    const checkout = new CheckoutLine(system.checkoutAmqpUrl);
    const over = AbortSignal.timeout(VISIT_MS);
    const seller = { merchantId: system.merchantId, apiKey: system.apiKey };
    const world = { target: system, seller, history, ledger: new Ledger(), checkout, kids, upstreamKid: '', ending: over, over };
    return new Visitor(new Actor(world, 'visitor', random.fork('visitor')), checkout);
  }

  /** An order that was not placed yet, with a cookie of its own and a device that is not registered. */
  async order(): Promise<Order> {
    const cookie = await this.actor.cookie('visitor');
    if (cookie === undefined) throw new Error('no cookie was to be had');
    const { kids, ledger } = this.actor.world;
    const purchaseId = `order-${crypto.randomUUID()}`;
    const terms: Terms = { purchaseId, cookie, contentId: 'film', kids: [kids[0]!], rights: { type: 'purchase' } };
    return ledger.open(terms, [new FakeDevice()], this.actor.world.seller);
  }

  /** Registers a device, buys by event, and waits for the token until it comes or the visit is over. */
  async buy(): Promise<Customer> {
    const order = await this.order();
    await this.actor.register(order.devices[0]!, order.terms.cookie);
    await this.place(order);
    for (;;) {
      const { held } = await this.actor.token(order, TOKEN_WAIT_SECONDS);
      if (held) return { order, held };
      if (this.actor.world.over.aborted) throw new Error(`purchase ${order.terms.purchaseId} got no token`);
    }
  }

  /** Publishes a purchase until it is accepted. */
  async place({ terms }: Order): Promise<void> {
    const messageId = crypto.randomUUID();
    const outcome = await this.actor.persist(() => this.actor.purchase(terms, 'amqp', messageId));
    if (outcome.kind !== 'ok') throw new Error(`a purchase was not accepted: ${JSON.stringify(outcome)}`);
  }

  async end(): Promise<void> {
    await this.checkout.close();
  }
}
