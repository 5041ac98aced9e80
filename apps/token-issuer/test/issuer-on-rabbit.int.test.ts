import {
  type CloudEvent,
  DeviceRegistered,
  hear,
  hearCopy,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  requests,
  type ServiceMessaging,
  type ServiceName,
  SigningKeyPublished,
  TokenIssued,
  TokenRevoked,
} from '@latchkey/contracts';
import { Checkout, createTestDatabase, createTestVhost, describeWithRabbit, eventually, type TestDatabase, type TestVhost } from '@latchkey/kits';
import { type Broker, connectRabbit, done, readMessage, Requests } from '@latchkey/messaging';
import { createLogger, Metrics, readConfiguration, type RunningService, startService } from '@latchkey/service-defaults';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { tokenIssuerService } from '../src/index.js';
import { KEK_1, LICENSE_URL, MERCHANT, Neighbours, terms } from './issuer.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeWithRabbit('two replicas on RabbitMQ', () => {
  let vhost: TestVhost;
  let database: TestDatabase;
  let checkout: Checkout;
  let asker: Requests;
  const brokers: Broker[] = [];
  const replicas: RunningService[] = [];
  const neighbours = new Neighbours();
  const heard: CloudEvent[] = [];
  const of = (type: string) => heard.filter((event) => event.type === type).map(({ data }) => data as { purchaseId?: string });

  function connect(): Broker {
    const broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'token-issuer-test', logger: silent, ladder: [{ name: '5s', delayMs: 200 }] });
    brokers.push(broker);
    return broker;
  }

  /** The services around: they answer, and the gateway hears what merchants are told. */
  async function startNeighbours(broker: Broker): Promise<void> {
    const hears = [
      ...[TokenIssued, PurchaseRejected].map((event) => hear(event as never, [])),
      ...[TokenRevoked, PurchaseCompleted, PurchaseRefunded].map((event) => hearCopy(event as never, [])),
    ];
    const licenseServer: ServiceMessaging = { service: 'license-server', hears: [hear(SigningKeyPublished, []), hear(TokenRevoked, [])], says: [], asks: [] };
    await broker.declare({ service: 'gateway', hears, says: [], asks: [] });
    for (const service of ['cookie', 'device-registry', 'license-server'] satisfies ServiceName[]) {
      await broker.declare(service === 'license-server' ? licenseServer : { service, hears: [], says: [], asks: [] });
      await broker.serve(service, async ({ name, body }) => {
        const answer = neighbours.answer(name, JSON.parse(body.toString('utf8')) as never)!;
        return Buffer.from(JSON.stringify('value' in answer ? { ok: true, value: answer.value } : { ok: false, problem: answer.problem }));
      });
    }
    await broker.consume({ service: 'gateway', hears, says: [], asks: [] }, async (messages) => {
      for (const message of messages) {
        const read = readMessage(message);
        if (read.ok) heard.push(read.event);
      }
      return messages.map(() => done);
    });
  }

  async function startReplica(env: Record<string, string>): Promise<RunningService> {
    const configuration = readConfiguration(tokenIssuerService.settings, {
      DATABASE_URL: database.url,
      AMQP_URL: vhost.amqpUrl,
      LATCHKEY_KEK: KEK_1,
      LATCHKEY_LICENSE_URL: LICENSE_URL,
      ...env,
    });
    const logger = createLogger('token-issuer', 'silent');
    const service = await startService(tokenIssuerService, configuration, { broker: connect(), logger, metrics: new Metrics(), listen: false });
    replicas.push(service);
    return service;
  }

  beforeAll(async () => {
    [vhost, database] = await Promise.all([createTestVhost(), createTestDatabase()]);
    const { username, amqpUrl } = await vhost.createUser('checkout');
    const outside = connect();
    await startNeighbours(outside);
    asker = new Requests(outside);
    const started = await Promise.all([1, 2].map(() => startReplica({ LATCHKEY_CHECKOUT_USERS: `${username}:${MERCHANT}` })));
    for (const { health } of started) await eventually(async () => expect((await health.readiness()).status).toBe('ready'));
    checkout = await Checkout.connect(amqpUrl);
  });

  afterAll(async () => {
    await checkout?.close();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await Promise.all(brokers.map((broker) => broker.close()));
    await vhost?.close();
    await database?.drop();
  });

  const register = (cookie: string) => {
    const { merchantId, accountId, deviceId, evidence, registeredAt } = neighbours.bind(cookie);
    const data = { merchantId, cookie, accountId, deviceId, evidence, registeredAt };
    return brokers[0]!.publish([{ specversion: '1.0', id: crypto.randomUUID(), source: '/latchkey/device-registry', type: DeviceRegistered.type, data }]);
  };

  it('give each purchase of a plain checkout one token, in every order, however often it is told', async () => {
    const kid = 'a'.repeat(32);
    await asker.ask(requests.putContentKey, { merchantId: MERCHANT, kid, key: '5a'.repeat(16) });
    const purchases = Array.from({ length: 60 }, () => terms({ cookie: neighbours.cookie(), kids: [kid] }));
    const unknownCookie = terms({ cookie: 'nobody-knows-this', kids: [kid] });
    await Promise.all(purchases.slice(0, 20).map(({ cookie }) => register(cookie)));
    const mode = ['binary', 'structured'] as const;
    await Promise.all([
      checkout.publish({ type: PurchaseCompleted.type, data: { merchantId: MERCHANT, nonsense: true } }),
      checkout.publish({ type: PurchaseCompleted.type, data: { ...purchases[0], merchantId: 'other' } }),
      checkout.publish({ type: PurchaseCompleted.type, data: unknownCookie }),
      ...purchases.flatMap((data, index) => [0, 1].map(() => checkout.publish({ type: PurchaseCompleted.type, data, mode: mode[index % 2]! }))),
      ...purchases.slice(20).map(({ cookie }) => register(cookie)),
    ]);
    await eventually(() => expect(of(TokenIssued.type)).toHaveLength(purchases.length), { timeoutMs: 20_000 });
    expect(new Set(of(TokenIssued.type).map(({ purchaseId }) => purchaseId)).size).toBe(purchases.length);
    await eventually(() => expect(of(PurchaseRejected.type)).toMatchObject([{ purchaseId: unknownCookie.purchaseId, code: 'cookie-unknown' }]));
    await eventually(async () => expect((await brokers[0]!.depths('token-issuer')).find(({ queue }) => queue === 'dlq')?.messages).toBe(2));

    const [first] = purchases;
    const view = await asker.ask(requests.getPurchaseToken, first!);
    expect(view).toMatchObject({ deviceId: neighbours.bindings.get(first!.cookie)!.deviceId });
    await checkout.publish({ type: PurchaseRefunded.type, data: { merchantId: MERCHANT, purchaseId: first!.purchaseId, refundedAt: new Date().toISOString() } });
    await eventually(() => expect(of(TokenRevoked.type)).toMatchObject([{ purchaseId: first!.purchaseId, reason: 'refunded' }]));
    await expect(asker.ask(requests.getPurchaseToken, first!)).rejects.toMatchObject({ code: 'purchase-refunded', status: 409 });
  });
});
