import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { requests } from '@latchkey/contracts';
import { createTestVhost, describeWithRabbit, eventually, type TestVhost } from '@latchkey/kits';
import { type Broker, connectRabbit } from '@latchkey/messaging';
import { type CookieUnderTest, startCookie } from './start-cookie.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeWithRabbit('two replicas on RabbitMQ', () => {
  let vhost: TestVhost;
  let broker: Broker;
  let house: CookieUnderTest;

  beforeAll(async () => {
    vhost = await createTestVhost();
    broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'cookie-test', logger: silent });
    house = await startCookie(broker, {}, 2);
  });

  afterAll(async () => {
    await house.stop();
    await broker.close();
    await vhost.close();
  });

  it('make one cookie under one idempotency key, and tell of it', async () => {
    const request = { merchantId: 'default', accountId: 'alice', idempotencyKey: 'key' };
    const made = await Promise.all(Array.from({ length: 20 }, () => house.requests.ask(requests.issueCookie, request)));
    expect(new Set(made.map(({ cookie }) => cookie)).size).toBe(1);
    await eventually(() => expect(house.registry.heard.map(({ cookie }) => cookie)).toEqual([made[0]!.cookie]));
  });

  it('mark what was registered, told twice and in whatever batches', async () => {
    const issue = () => house.requests.ask(requests.issueCookie, { merchantId: 'default', accountId: 'bob' });
    const refs = (await Promise.all(Array.from({ length: 60 }, issue))).map(({ cookie }) => ({ merchantId: 'default', cookie }));
    await Promise.all([house.registry.register(refs, 'one'), house.registry.register([...refs].reverse(), 'two')]);
    await eventually(async () =>
      expect(await house.database.query(`select from cookies where account_id = 'bob' and bound_at is not null`)).toHaveLength(60),
    );
    await eventually(async () => expect(await house.requests.ask(requests.getCookie, refs[0]!)).toMatchObject({ state: 'bound' }));
  });
});
