import { eventually, FakeDevice } from '@latchkey/kits';
import { REVOCATION_BITES_MS } from '../checker/bound-device-only.js';
import type { Terms } from '../operation.js';
import type { HeldToken, Order } from '../workload/ledger.js';
import type { Scene } from './control.js';

/** A little more than half of what a token lives in these systems: from then on asking for it renews it. */
export const RENEWAL_AGE_MS = 11_000;
export const TOKEN_WAIT_SECONDS = 20;

/** A purchase that was not made yet, whose device is registered. */
export async function registered({ actor, workload }: Scene): Promise<Order> {
  const cookie = await actor.cookie('control');
  if (cookie === undefined) throw new Error('no cookie was to be had');
  const terms: Terms = { purchaseId: `order-${crypto.randomUUID()}`, cookie, contentId: 'film', kids: [workload.world.kids[0]!], rights: { type: 'purchase' } };
  const order = workload.world.ledger.open(terms, [new FakeDevice()], workload.world.seller);
  const outcome = await actor.register(order.devices[0]!, cookie);
  if (outcome.kind !== 'ok') throw new Error(`the device was not registered: ${JSON.stringify(outcome)}`);
  return order;
}

/** Makes it: by event it counts as accepted before the issuer has seen it, over HTTP only once the issuer has it. */
export async function purchase({ actor }: Scene, { terms }: Order, via: 'amqp' | 'http'): Promise<void> {
  const outcome = await actor.persist(() => actor.purchase(terms, via));
  if (outcome.kind !== 'ok') throw new Error(`the purchase was not accepted: ${JSON.stringify(outcome)}`);
}

/** Refunds a purchase. */
export async function refund({ actor }: Scene, { terms }: Order, via: 'amqp' | 'http'): Promise<void> {
  const outcome = await actor.persist(() => actor.refund(terms.purchaseId, via));
  if (outcome.kind !== 'ok') throw new Error(`the refund was not accepted: ${JSON.stringify(outcome)}`);
}

/** A purchase with its token, which opens. */
export async function playing(scene: Scene): Promise<{ readonly order: Order; readonly held: HeldToken }> {
  const order = await registered(scene);
  await purchase(scene, order, 'http');
  const { held } = await scene.actor.token(order, TOKEN_WAIT_SECONDS);
  if (!held) throw new Error('the purchase got no token');
  return { order, held };
}

/** Asks until the token has been renewed. An answer may be late on a busy machine, and the actor notes it as such. */
export async function renewed({ actor }: Scene, order: Order): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, RENEWAL_AGE_MS));
  await eventually(
    async () => {
      await actor.token(order, 0);
      if (order.tokens.size !== 2) throw new Error(`the token was to be renewed once; the purchase has had ${order.tokens.size}`);
    },
    { timeoutMs: 4 * RENEWAL_AGE_MS },
  );
}

/** Asks for a licence a second and a little later than what ended the token. */
export async function playAgain({ actor }: Scene, held: HeldToken): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, REVOCATION_BITES_MS + 50));
  await actor.license(held);
}
