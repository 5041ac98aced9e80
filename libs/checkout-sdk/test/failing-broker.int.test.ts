import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AmqpProxy, describeWithRabbit, eventually } from '@latchkey/kits';
import { aPurchase, CheckoutBench } from './checkout-bench.js';

describeWithRabbit('a checkout whose broker fails it', () => {
  let bench: CheckoutBench;
  let proxy: AmqpProxy;

  beforeEach(async () => {
    bench = await CheckoutBench.open();
    proxy = await AmqpProxy.open(bench.amqpUrl);
  });
  afterEach(async () => {
    await bench.close();
    await proxy.close();
  });

  it('says unknown when the connection is lost before the verdict, and repeats under the same id once it is back', async () => {
    const checkout = await bench.connect({ url: proxy.url });
    await checkout.publishPurchaseCompleted(aPurchase());
    proxy.holdAnswers(true);
    const purchase = aPurchase();
    const publishing = checkout.publishPurchaseCompleted(purchase);
    // The broker has it; only its word of it does not come.
    await eventually(async () => expect((await bench.vhost.depth('purchases')).messages).toBe(2));
    proxy.cut();
    const lost = await publishing;
    expect(lost.outcome).toBe('unknown');
    expect(await checkout.publishPurchaseCompleted(purchase)).toMatchObject({ outcome: 'accepted', id: lost.id });
    expect((await bench.received()).slice(1).map(({ properties }) => properties.messageId as unknown)).toEqual([lost.id, lost.id]);
  });

  it('says unknown when the verdict does not come in time, and is not misled by the late one', async () => {
    const checkout = await bench.connect({ url: proxy.url, timeoutMs: 1_000 });
    await checkout.publishPurchaseCompleted(aPurchase('order-1'));
    proxy.holdAnswers(true);
    expect(await checkout.publishPurchaseCompleted(aPurchase('order-2'))).toMatchObject({ outcome: 'unknown', detail: 'the broker did not confirm it in time' });
    await bench.bind(false);
    const late = checkout.publishPurchaseCompleted(aPurchase('order-2'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.holdAnswers(false);
    expect((await late).outcome).toBe('unroutable');
    await bench.bind(true);
    expect((await checkout.publishPurchaseCompleted(aPurchase('order-3'))).outcome).toBe('accepted');
  });

  it('comes back when the broker’s operator closes its connections, and loses nothing that it accepted', async () => {
    const checkout = await bench.connect();
    const accepted = new Set<string>();
    const publishing = (async () => {
      for (let n = 0; n < 300; n += 1) {
        for (let outcome = ''; outcome !== 'accepted'; ) {
          const answer = await checkout.publishPurchaseCompleted(aPurchase(`order-${n}`));
          ({ outcome } = answer);
          if (outcome === 'accepted') accepted.add(answer.id);
        }
      }
    })();
    await eventually(async () => expect(await bench.vhost.management.closeConnections(bench.user)).toBe(1));
    await publishing;
    expect(accepted.size).toBe(300);
    expect(new Set((await bench.received()).map(({ properties }) => String(properties.messageId)))).toEqual(accepted);
  });

  it('keeps what is published while the broker is away, within its bounds, and sends it when the broker is back', async () => {
    const checkout = await bench.connect({ url: proxy.url, pendingMax: 3 });
    await proxy.close();
    await eventually(() => expect(checkout.state).toBe('down'));
    const waiting = [1, 2, 3].map((n) => checkout.publishPurchaseCompleted(aPurchase(`order-${n}`)));
    const tooMany = checkout.publishPurchaseCompleted(aPurchase('order-4'));
    expect(await tooMany).toMatchObject({ outcome: 'not-sent', detail: '3 others wait for their answers', id: expect.stringContaining('order-4') });
    await proxy.listen();
    expect((await Promise.all(waiting)).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(await bench.received()).toHaveLength(3);
  });

  it('says not-sent, and why, of what waited until its time was over', async () => {
    const checkout = await bench.connect({ url: proxy.url, timeoutMs: 1_000 });
    await proxy.close();
    await eventually(() => expect(checkout.state).toBe('down'));
    const answer = await checkout.publishPurchaseCompleted(aPurchase());
    expect(answer).toMatchObject({ outcome: 'not-sent', detail: expect.stringMatching(/^the broker cannot be reached: .*ECONNREFUSED|^the connection to the broker was lost/) });
    await proxy.listen();
    await eventually(() => expect(checkout.state).toBe('up'));
    expect(await bench.received()).toEqual([]);
  });

  it('refuses what waits when the broker does not let it in any more', async () => {
    const checkout = await bench.connect({ url: proxy.url });
    await bench.vhost.management.request('DELETE', `/api/permissions/${bench.vhost.name}/${bench.user}`);
    proxy.cut();
    await eventually(() => expect(checkout.state).toBe('down'));
    await expect(checkout.publishPurchaseCompleted(aPurchase())).rejects.toMatchObject({ code: 'not-permitted' });
  });

  it('holds back while the broker takes nothing for now', async () => {
    const checkout = await bench.connect({ url: proxy.url });
    await checkout.publishPurchaseCompleted(aPurchase());
    proxy.sayBlocked('latchkey checkout', true);
    await eventually(() => expect(checkout.state).toBe('blocked'));
    const publishing = checkout.publishPurchaseCompleted(aPurchase());
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await bench.vhost.depth('purchases')).messages).toBe(1);
    proxy.sayBlocked('latchkey checkout', false);
    expect((await publishing).outcome).toBe('accepted');
  });

  it('sends no more than may be unconfirmed, however many it has answered unknown', async () => {
    const checkout = await bench.connect({ url: proxy.url, timeoutMs: 1_000, pendingMax: 2 });
    await checkout.publishPurchaseCompleted(aPurchase());
    proxy.holdAnswers(true);
    const outcomes: string[] = [];
    for (let n = 0; n < 4; n += 1) outcomes.push((await checkout.publishPurchaseCompleted(aPurchase())).outcome);
    expect(outcomes).toEqual(['unknown', 'unknown', 'not-sent', 'not-sent']);
    proxy.holdAnswers(false);
    await eventually(async () => expect((await checkout.publishPurchaseCompleted(aPurchase())).outcome).toBe('accepted'));
  });

  it('waits for outstanding verdicts when it is closed, and takes nothing more', async () => {
    const checkout = await bench.connect({ url: proxy.url });
    await checkout.publishPurchaseCompleted(aPurchase());
    proxy.holdAnswers(true);
    const publishing = [aPurchase(), aPurchase()].map((purchase) => checkout.publishPurchaseCompleted(purchase));
    const closing = checkout.close();
    await expect(checkout.publishPurchaseCompleted(aPurchase())).rejects.toMatchObject({ code: 'closed' });
    setTimeout(() => proxy.holdAnswers(false), 200);
    await closing;
    expect((await Promise.all(publishing)).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
    await eventually(async () => expect(await bench.vhost.management.connections()).toEqual([]));
    await checkout.close();
    expect(checkout.state).toBe('down');
  });

  it('closes within its time whatever the broker does, and at once where there is no connection', async () => {
    const [stuck, away] = [await bench.connect({ url: proxy.url, timeoutMs: 1_000 }), await bench.connect({ url: proxy.url })];
    proxy.holdUp(true);
    const unconfirmed = stuck.publishPurchaseCompleted(aPurchase());
    const startedMs = performance.now();
    await stuck.close();
    expect((await unconfirmed).outcome).toMatch(/^(?:unknown|not-sent)$/);
    expect(performance.now() - startedMs).toBeLessThan(7_000);

    await proxy.close();
    await eventually(() => expect(away.state).toBe('down'));
    const waiting = away.publishPurchaseCompleted(aPurchase());
    await new Promise((resolve) => setTimeout(resolve, 20));
    await away.close();
    expect((await waiting).outcome).toBe('not-sent');
  });
});
