import { Checkout, type CheckoutMessage } from '@latchkey/kits';
import type { Random } from '../random.js';
import type { System } from '../system/system.js';
import type { Fault } from './fault.js';
import { within, pause } from './pause.js';

const type = 'purchase.completed.v1';
const MIB = 1024 * 1024;

function purchase(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    merchantId: 'default',
    purchaseId: `poison-${crypto.randomUUID()}`,
    cookie: 'no-such-cookie',
    contentId: 'film',
    kids: ['0'.repeat(32)],
    rights: { type: 'purchase' },
    completedAt: '2026-01-01T00:00:00Z',
    ...change,
  };
}

/** What no consumer can make anything of, each bad in one way. */
const poisons: Readonly<Record<string, (random: Random) => CheckoutMessage>> = {
  'no JSON': () => ({ type, data: {}, rawBody: '{"merchantId":' }),
  'an empty body': () => ({ type, data: {}, rawBody: '' }),
  'no UTF-8': () => ({ type, data: {}, rawBody: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) }),
  'a number for an id': () => ({ type, data: purchase({ purchaseId: 7 }) }),
  'an object for a list': () => ({ type, data: purchase({ kids: { 0: 'x' } }) }),
  'a list for a purchase': () => ({ type, data: [purchase()] }),
  'null': () => ({ type, data: null }),
  'unknown rights': () => ({ type, data: purchase({ rights: { type: 'forever' } }) }),
  'a key of the prototype': () => ({ type, data: {}, rawBody: '{"__proto__":{"merchantId":"default"},"constructor":{}}' }),
  'another merchant': () => ({ type, data: purchase({ merchantId: 'somebody-else' }) }),
  'no user': () => ({ type, data: purchase(), userId: null }),
  'another type than its routing key says': () => ({ type: 'device.registered.v1', routingKey: type, data: purchase() }),
  '300 KB': (random) => ({ type, data: purchase({ contentId: 'x'.repeat(300 * 1024 + random.between(0, 9)) }) }),
  '20 MB': () => ({ type, data: {}, rawBody: Buffer.alloc(20 * MIB, 0x20) }),
  'deep nesting': () => ({ type, data: {}, rawBody: '['.repeat(60_000) + ']'.repeat(60_000) }),
  'deep nesting within a purchase': () => ({ type, data: {}, rawBody: JSON.stringify(purchase()).replace('"film"', '{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000)) }),
};

/** Poison between the good ones, published as a checkout publishes. It ends in quarantine, all of it, and delays nobody. */
export const poison: Fault = {
  name: 'poison',
  async strike(system, random) {
    const before = await quarantined(system);
    const checkout = await Checkout.connect(system.checkoutAmqpUrl);
    let accepted = 0;
    for (const name of random.shuffle(Object.keys(poisons))) {
      if ((await checkout.publish(poisons[name]!(random))) === 'accepted') accepted += 1;
      await pause(random, 0, 120);
    }
    await checkout.close();
    const aside = await within(30_000, async () => (await quarantined(system)) >= before + accepted);
    if (!aside) throw new Error(`of ${accepted} poisonous messages only ${(await quarantined(system)) - before} are in quarantine`);
    return accepted;
  },
};

/** What lies in the quarantine of the service that checkouts speak to, as far as the management API has counted. */
export async function quarantined(system: System): Promise<number> {
  return (await system.queues()).find(({ name }) => name === 'token-issuer.dlq')?.messages ?? 0;
}
