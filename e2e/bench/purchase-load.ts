import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Channel, type ChannelModel, connect } from 'amqplib';

/** Where purchases are published, and as which user. */
export interface PurchaseTarget {
  readonly exchange: string;
  /** Publishes the purchases, as a checkout. */
  readonly checkoutAmqpUrl: string;
  /** May bind a queue of its own, to see what comes of them. */
  readonly observerAmqpUrl: string;
  readonly merchantId: string;
  readonly cookies: readonly string[];
  readonly kid: string;
}

/** Publishes purchases and sees the `TokenIssued` of each, on a queue of its own. */
export class PurchaseLoad {
  private readonly publishedMs = new Map<string, number>();
  private durationsMs: number[] = [];
  private issued = (): void => undefined;

  private constructor(
    private readonly target: PurchaseTarget,
    private readonly connections: readonly ChannelModel[],
    private readonly channel: Channel,
  ) {}

  static async open(target: PurchaseTarget): Promise<PurchaseLoad> {
    const publishing = await connect(target.checkoutAmqpUrl, { noDelay: true });
    const observing = await connect(target.observerAmqpUrl, { noDelay: true });
    const load = new PurchaseLoad(target, [publishing, observing], await publishing.createChannel());
    const channel = await observing.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, target.exchange, 'token.issued.v1');
    await channel.consume(queue, (message) => message && load.see(message.content), { noAck: true });
    return load;
  }

  /** Publishes `count` purchases with at most `inFlightMax` unanswered; answers how long each took until its token, in ms. */
  async saturate(count: number, inFlightMax: number): Promise<readonly number[]> {
    return this.publishAll(count, async () => {
      while (this.publishedMs.size >= inFlightMax) await this.untilIssued();
    });
  }

  /** Publishes so many purchases a second, for so long; answers how long each took until its token, in milliseconds. */
  async steady(perSecond: number, seconds: number): Promise<readonly number[]> {
    const startedMs = performance.now();
    return this.publishAll(perSecond * seconds, async (index) => {
      const dueMs = startedMs + (index * 1000) / perSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await delay(waitMs);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  private async publishAll(count: number, mayPublish: (index: number) => Promise<void>): Promise<readonly number[]> {
    this.durationsMs = [];
    for (let index = 0; index < count; index += 1) {
      await mayPublish(index);
      this.publish();
    }
    while (this.durationsMs.length < count) await this.untilIssued();
    return this.durationsMs;
  }

  private publish(): void {
    const { exchange, checkoutAmqpUrl, merchantId, cookies, kid } = this.target;
    const id = crypto.randomUUID();
    const purchaseId = `bench-${id}`;
    const data = {
      merchantId,
      purchaseId,
      cookie: cookies[Math.floor(Math.random() * cookies.length)]!,
      contentId: 'film-bench',
      kids: [kid],
      rights: { type: 'purchase' },
      completedAt: new Date().toISOString(),
    };
    const headers = { cloudEvents_specversion: '1.0', cloudEvents_id: id, cloudEvents_source: 'urn:bench', cloudEvents_type: 'purchase.completed.v1' };
    this.publishedMs.set(purchaseId, performance.now());
    const userId = decodeURIComponent(new URL(checkoutAmqpUrl).username);
    const properties = { messageId: id, userId, mandatory: true, persistent: true, contentType: 'application/json', headers };
    this.channel.publish(exchange, 'purchase.completed.v1', Buffer.from(JSON.stringify(data)), properties);
  }

  private see(content: Buffer): void {
    const { purchaseId } = JSON.parse(content.toString()) as { purchaseId?: string };
    const publishedMs = purchaseId === undefined ? undefined : this.publishedMs.get(purchaseId);
    if (publishedMs === undefined) return;
    this.publishedMs.delete(purchaseId!);
    this.durationsMs.push(performance.now() - publishedMs);
    this.issued();
  }

  private untilIssued(): Promise<void> {
    return new Promise((resolve) => (this.issued = resolve));
  }
}
