import { createTestVhost, type TestVhost } from '@latchkey/kits';
import { connect, type GetMessage } from 'amqplib';
import { type CheckoutClient, type CheckoutOptions, type CompletedPurchase, connectCheckout } from '../src/index.js';

/** A queue that stands for the token issuer's. */
const QUEUE = 'purchases';

/** A virtual host with Latchkey's exchange, a queue for purchases, and a checkout's user with a checkout's rights. */
export class CheckoutBench {
  private readonly clients: CheckoutClient[] = [];

  private constructor(
    readonly vhost: TestVhost,
    readonly user: string,
    readonly amqpUrl: string,
  ) {}

  static async open(): Promise<CheckoutBench> {
    const vhost = await createTestVhost();
    const connection = await connect(vhost.amqpUrl);
    const channel = await connection.createChannel();
    await channel.assertExchange('latchkey.events', 'topic');
    await channel.assertQueue(QUEUE, { arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(QUEUE, 'latchkey.events', 'purchase.*.v1');
    await connection.close();
    const { username, amqpUrl } = await vhost.createUser('checkout-acme', { configure: '^$', write: '^latchkey\\.events$', read: '^$' });
    await vhost.management.allowTopic(username, 'latchkey.events', { write: '^purchase\\.(completed|refunded)\\.v1$', read: '^$' });
    return new CheckoutBench(vhost, username, amqpUrl);
  }

  /** Connects as the checkout; closed with the bench. */
  async connect(change: Partial<CheckoutOptions> = {}): Promise<CheckoutClient> {
    const client = await connectCheckout({ url: this.amqpUrl, merchantId: 'acme', ...change });
    this.clients.push(client);
    return client;
  }

  async bind(bound: boolean): Promise<void> {
    const path = `/api/bindings/${this.vhost.name}/e/latchkey.events/q/${QUEUE}`;
    if (bound) await this.vhost.management.request('POST', path, { routing_key: 'purchase.*.v1' });
    else await this.vhost.management.request('DELETE', `${path}/purchase.%2A.v1`);
  }

  /** Takes everything out of the queue. */
  async received(): Promise<GetMessage[]> {
    const connection = await connect(this.vhost.amqpUrl);
    const channel = await connection.createChannel();
    const messages: GetMessage[] = [];
    for (let message = await channel.get(QUEUE, { noAck: true }); message; message = await channel.get(QUEUE, { noAck: true })) messages.push(message);
    await connection.close();
    return messages;
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.vhost.close();
  }
}

export function aPurchase(purchaseId: string = crypto.randomUUID()): CompletedPurchase {
  return { purchaseId, cookie: 'Xq3mJ7dEwq0VvZ8n1yH2tA', contentId: 'film-42', kids: ['a'.repeat(32)], rights: { type: 'purchase' } };
}
