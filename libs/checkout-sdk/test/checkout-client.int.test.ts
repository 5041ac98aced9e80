import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { PurchaseCompleted, PurchaseRefunded } from '@latchkey/contracts';
import { describeWithRabbit, eventually } from '@latchkey/kits';
import { connectCheckout } from '../src/index.js';
import { aPurchase, CheckoutBench } from './checkout-bench.js';

describeWithRabbit('a checkout on RabbitMQ', () => {
  let bench: CheckoutBench;

  beforeAll(async () => {
    bench = await CheckoutBench.open();
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.received());

  it('publishes purchases and refunds as the contract has them, and hears that they are accepted', async () => {
    const checkout = await bench.connect();
    expect(checkout.state).toBe('up');
    const completed = await checkout.publishPurchaseCompleted(aPurchase('order-1'));
    const refunded = await checkout.publishPurchaseRefunded({ purchaseId: 'order-1', reason: 'changed her mind' });
    expect([completed.outcome, refunded.outcome]).toEqual(['accepted', 'accepted']);

    const messages = await bench.received();
    expect(messages.map(({ fields, properties }) => [fields.routingKey, properties.messageId as unknown])).toEqual([
      ['purchase.completed.v1', completed.id],
      ['purchase.refunded.v1', refunded.id],
    ]);
    for (const { properties, fields } of messages) {
      expect(properties).toMatchObject({ contentType: 'application/json', deliveryMode: 2, userId: bench.user });
      expect(properties.headers).toMatchObject({ cloudEvents_specversion: '1.0', cloudEvents_id: String(properties.messageId), cloudEvents_source: '/checkout', cloudEvents_type: fields.routingKey });
    }
    const [purchase, refund] = messages.map(({ content }) => JSON.parse(content.toString('utf8')) as { merchantId: string });
    expect([PurchaseCompleted.schema.parse(purchase).merchantId, PurchaseRefunded.schema.parse(refund).merchantId]).toEqual(['acme', 'acme']);
  });

  it('hears that an event is unroutable while no queue is bound, and repeats it under the same id', async () => {
    const checkout = await bench.connect();
    await bench.bind(false);
    const purchase = aPurchase();
    const answers = await Promise.all([checkout.publishPurchaseCompleted(purchase), checkout.publishPurchaseCompleted(aPurchase())]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['unroutable', 'unroutable']);
    await bench.bind(true);
    expect(await checkout.publishPurchaseCompleted(purchase)).toMatchObject({ outcome: 'accepted', id: answers[0].id });
    expect((await bench.received()).map(({ properties }) => properties.messageId as unknown)).toEqual([answers[0].id]);
  });

  it('sends a repeat under one id, of its own making or given, from one process or another', async () => {
    const [one, other] = [await bench.connect(), await bench.connect()];
    const purchase = aPurchase();
    const made = [await one.publishPurchaseCompleted(purchase), await other.publishPurchaseCompleted({ ...purchase, completedAt: '2026-11-24T12:00:00Z' })];
    const given = [await one.publishPurchaseCompleted(purchase, { id: 'outbox-7' }), await one.publishPurchaseCompleted(purchase, { id: 'outbox-7' })];
    expect([...made, ...given].map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'accepted'));
    const ids = (await bench.received()).map(({ properties }) => properties.messageId as unknown);
    expect(ids).toEqual([made[0]!.id, made[0]!.id, 'outbox-7', 'outbox-7']);
  });

  it('sends nothing that is invalid, nor anything else under an id that it has used', async () => {
    const checkout = await bench.connect();
    const purchase = aPurchase();
    await expect(checkout.publishPurchaseCompleted({ ...purchase, kids: [] })).rejects.toMatchObject({ code: 'invalid-event', problems: [{ path: 'kids' }] });
    await checkout.publishPurchaseCompleted(purchase, { id: purchase.purchaseId });
    const { purchaseId } = purchase;
    await expect(checkout.publishPurchaseRefunded({ purchaseId }, { id: purchaseId })).rejects.toMatchObject({ code: 'id-reused' });
    await expect(checkout.publishPurchaseCompleted({ ...purchase, contentId: 'another' }, { id: purchaseId })).rejects.toMatchObject({ code: 'id-reused' });
    expect(await bench.received()).toHaveLength(1);
  });

  it('hears that its user may not publish, each time, while what it may publish goes on', async () => {
    const checkout = await bench.connect();
    const { management } = bench.vhost;
    await management.allowTopic(bench.user, 'latchkey.events', { write: '^purchase\\.completed\\.v1$', read: '^$' });
    for (let round = 0; round < 2; round += 1) {
      const [completed, refunded, another] = await Promise.allSettled([
        checkout.publishPurchaseCompleted(aPurchase()),
        checkout.publishPurchaseRefunded({ purchaseId: 'order-1' }),
        checkout.publishPurchaseRefunded({ purchaseId: 'order-2' }),
      ]);
      expect(completed).toMatchObject({ value: { outcome: 'accepted' } });
      for (const refused of [refunded, another]) expect(refused).toMatchObject({ reason: { name: 'CheckoutError', code: 'not-permitted' } });
    }
    await management.allowTopic(bench.user, 'latchkey.events', { write: '^purchase\\.(completed|refunded)\\.v1$', read: '^$' });
    await eventually(async () => expect(await checkout.publishPurchaseRefunded({ purchaseId: 'order-1' })).toMatchObject({ outcome: 'accepted' }));
  });

  it('hears that the broker knows it by another user than it says', async () => {
    const checkout = await bench.connect({ user: 'checkout-other' });
    await expect(checkout.publishPurchaseCompleted(aPurchase())).rejects.toMatchObject({ code: 'wrong-user' });
    expect(await bench.received()).toEqual([]);
  });

  it('is unroutable where Latchkey has not made its exchange yet', async () => {
    const { vhost } = bench;
    const other = await vhost.createUser('early');
    await vhost.management.request('DELETE', `/api/exchanges/${vhost.name}/latchkey.events`);
    const checkout = await bench.connect({ url: other.amqpUrl });
    expect(await checkout.publishPurchaseCompleted(aPurchase())).toMatchObject({ outcome: 'unroutable', detail: 'the broker has no exchange latchkey.events' });
    await vhost.management.request('PUT', `/api/exchanges/${vhost.name}/latchkey.events`, { type: 'topic', durable: true });
    await bench.bind(true);
    expect(await checkout.publishPurchaseCompleted(aPurchase())).toMatchObject({ outcome: 'accepted' });
  });

  it('does not connect with a wrong password, to a foreign virtual host, or to nobody', async () => {
    const [wrongPassword, foreign] = [new URL(bench.amqpUrl), new URL(bench.amqpUrl)];
    wrongPassword.password = 'guessed';
    foreign.pathname = '/nowhere';
    const nobody = new URL(bench.amqpUrl);
    nobody.host = '127.0.0.1:1';
    for (const [url, code] of [[wrongPassword, 'not-permitted'], [foreign, 'not-permitted'], [nobody, 'unreachable']] as const) {
      const error: unknown = await connectCheckout({ url: url.href, merchantId: 'acme', timeoutMs: code === 'unreachable' ? 500 : 5_000 }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ name: 'CheckoutError', code });
      expect(String(error)).not.toContain(url.password);
    }
  });
});
