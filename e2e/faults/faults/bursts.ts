import type { Fault } from './fault.js';
import { within } from './pause.js';
import { Visitor } from './visitor.js';

const ROUNDS = 6;
const ORDERS = 20;
/** Longer than a registration takes to become an event. */
const GATHER_MS = 1_000;
/** Some statements take so much longer at most, so that transactions which meet interleave in many ways. */
const JITTER_MS = 300;

/**
 * Purchase, refund and registration of the same sales, all at once. Both issuers gather what comes and hand it on together,
 * shuffled: so each handles a part of every sale, in batches, at the same moment. Whatever the order, all are refunded.
 */
export const refundBursts: Fault = {
  name: 'bursts-of-refunds',
  async strike(system, random, history) {
    const visitor = Visitor.begin(system, history, random);
    let refunded = 0;
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const orders = await Promise.all(Array.from({ length: ORDERS }, () => visitor.order()));
        await system.pullInAll('token-issuer', { lever: 'shuffle', options: { gatherMs: GATHER_MS, seed: random.between(1, 1_000_000) } });
        await system.pullInAll('token-issuer', { lever: 'jitter', options: { mostMs: JITTER_MS } });
        const acts = orders.flatMap((order) => {
          const { purchaseId, cookie } = order.terms;
          const messageId = crypto.randomUUID();
          return [
            () => visitor.place(order),
            () => visitor.actor.persist(() => visitor.actor.refund(purchaseId, 'amqp', messageId)),
            () => visitor.actor.register(order.devices[0]!, cookie),
          ];
        });
        await Promise.all(random.shuffle<() => Promise<unknown>>(acts).map((act) => act()));
        await system.releaseInAll('token-issuer', 'shuffle');
        const ids = orders.map(({ terms }) => terms.purchaseId);
        const states = async (): Promise<string[]> => {
          const rows = await system.sql<{ state: string }>('token-issuer', 'select state from purchases where purchase_id = any($1)', [ids]);
          return rows.map(({ state }) => state);
        };
        const done = async (): Promise<boolean> => (await states()).filter((state) => state === 'refunded').length === ORDERS;
        if (!(await within(60_000, done))) throw new Error(`of ${ORDERS} refunded purchases there are ${(await states()).join(', ')}`);
        await system.releaseInAll('token-issuer', 'jitter');
        refunded += ORDERS;
      }
      return refunded;
    } finally {
      await system.releaseInAll('token-issuer', 'shuffle');
      await system.releaseInAll('token-issuer', 'jitter');
      await visitor.end();
    }
  },
};
