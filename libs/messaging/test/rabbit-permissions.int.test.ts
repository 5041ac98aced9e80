import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  CookieIssued,
  DeviceRegistered,
  DeviceRevoked,
  hear,
  hearCopy,
  PurchaseCompleted,
  PurchaseRefunded,
  say,
  type ServiceMessaging,
  TokenIssued,
} from '@latchkey/contracts';
import { describeWithRabbit, eventually } from '@latchkey/kits';
import { type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib';
import { done } from '../src/broker.js';
import { brokerPasswordHash, type BrokerUser, definitionsOf } from '../src/definitions.js';
import { depthsOf, fastLadder, idOf, registered, remembering } from './contract-fixtures.js';
import { RabbitBus } from './rabbit-bus.js';
import { asking } from './request-contract.js';

const cookie: ServiceMessaging = { service: 'cookie', hears: [hearCopy(DeviceRegistered, ['cookie'])], says: [say(CookieIssued)], asks: ['device-registry'] };
const registry: ServiceMessaging = {
  service: 'device-registry',
  hears: [hear(CookieIssued, ['cookie'])],
  says: [say(DeviceRegistered, ['cookie']), say(DeviceRevoked)],
  asks: [],
};
const issuer: ServiceMessaging = {
  service: 'token-issuer',
  hears: [hear(PurchaseCompleted, ['cookie']), hear(PurchaseRefunded, ['purchaseId'])],
  says: [say(TokenIssued)],
  asks: [],
};

describeWithRabbit('RabbitMQ with the definitions loaded', () => {
  let bus: RabbitBus;
  let users: readonly BrokerUser[];
  const connections: ChannelModel[] = [];

  beforeAll(async () => {
    bus = await RabbitBus.open();
    const passwordHash = await brokerPasswordHash('a long and random one');
    const named = (name: string) => `${name}-${bus.vhost.name}`;
    users = [
      ...[cookie, registry, issuer].map(({ service }): BrokerUser => ({ name: named(service), passwordHash, role: { kind: 'service', service } })),
      { name: named('checkout-acme'), passwordHash, role: { kind: 'checkout' } },
      { name: named('checkout-other'), passwordHash, role: { kind: 'checkout' } },
      { name: named('nobody'), role: { kind: 'checkout' } },
    ];
    const definitions = definitionsOf([cookie, registry, issuer], { users, vhost: bus.vhost.name, ladder: fastLadder });
    await bus.vhost.management.request('POST', '/api/definitions', definitions);
  });
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await bus.vhost.management.request('POST', '/api/users/bulk-delete', { users: users.map(({ name }) => name) });
    await bus.dispose();
  });

  function urlOf(name: string): string {
    const url = new URL(bus.vhost.amqpUrl);
    url.username = `${name}-${bus.vhost.name}`;
    url.password = 'a long and random one';
    return url.href;
  }

  /** Does something as a user with a plain client; answers the broker's refusal, or `allowed`. */
  async function as(name: string, act: (channel: ConfirmChannel) => Promise<unknown>): Promise<string> {
    const connection = await connect(urlOf(name));
    connections.push(connection);
    const channel = await connection.createConfirmChannel();
    const refused = new Promise<string>((resolve) => channel.on('error', (error: Error) => resolve(/[A-Z]+_[A-Z]+/.exec(error.message)?.[0] ?? error.message)));
    return Promise.race([act(channel).then(() => 'allowed', () => refused), refused]);
  }

  function publishing(exchange: string, routingKey: string, options: Options.Publish = {}): (channel: ConfirmChannel) => Promise<void> {
    return async (channel) => {
      channel.publish(exchange, routingKey, Buffer.from('{}'), options);
      await channel.waitForConfirms();
    };
  }

  it('lets services declare, publish, hear, retry, quarantine, redrive, ask and answer', async () => {
    const [atCookie, atRegistry] = [bus.connect({ url: urlOf('cookie') }), bus.connect({ url: urlOf('device-registry') })];
    await atCookie.declare(cookie);
    await atRegistry.declare(registry);
    let poison = true;
    const { handler, seen } = remembering((message) => {
      if (message.attempt === 1) return { kind: 'retry', reason: 'not yet' };
      return poison ? { kind: 'quarantine', reason: 'poison' } : done;
    });
    await atCookie.consume(cookie, handler);
    await atRegistry.serve('device-registry', async ({ body }) => body);

    expect(await atRegistry.publish([{ ...registered('a'), copyFor: 'cookie' }])).toEqual(['confirmed']);
    await eventually(async () => expect(await depthsOf(atCookie, cookie)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(await atCookie.quarantined('cookie', 10)).toMatchObject([{ id: 'a', reason: 'poison' }]);
    poison = false;
    await eventually(async () => expect(await atCookie.redrive('cookie')).toBe(1));
    await eventually(() => expect(seen().map((message) => [idOf(message), message.attempt])).toEqual([['a', 1], ['a', 2], ['a', 1], ['a', 2]]));
    expect(String(await atCookie.request('device-registry', { ...asking('hello'), name: 'device-registry.echo' }))).toBe('hello');
    expect(bus.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    await Promise.all([atCookie.close(), atRegistry.close()]);
  });

  it('lets a checkout publish purchases and refunds, and nothing else', async () => {
    for (const type of ['purchase.completed.v1', 'purchase.refunded.v1']) expect(await as('checkout-acme', publishing('latchkey.events', type))).toBe('allowed');
    for (const type of ['token.issued.v1', 'device.registered.v1', 'purchase.rejected.v1', 'purchase.completed.v1.x', 'x.purchase.completed.v1']) {
      expect([type, await as('checkout-acme', publishing('latchkey.events', type))]).toEqual([type, 'ACCESS_REFUSED']);
    }
    for (const exchange of ['', 'token-issuer.retry', 'latchkey.requests', 'latchkey.rpc', 'amq.topic']) {
      expect([exchange, await as('checkout-acme', publishing(exchange, 'token-issuer.in'))]).toEqual([exchange, 'ACCESS_REFUSED']);
    }
    expect(await as('checkout-acme', (channel) => channel.consume('token-issuer.in', () => undefined))).toBe('ACCESS_REFUSED');
    expect(await as('checkout-acme', (channel) => channel.assertQueue('mine'))).toBe('ACCESS_REFUSED');
    expect(await as('checkout-acme', (channel) => channel.deleteExchange('latchkey.events'))).toBe('ACCESS_REFUSED');
  });

  it('lets nobody name another as publisher', async () => {
    const nameOf = (user: string) => `${user}-${bus.vhost.name}`;
    const publish = (userId: string) => as('checkout-acme', publishing('latchkey.events', 'purchase.completed.v1', { userId: nameOf(userId) }));
    expect([await publish('checkout-acme'), await publish('checkout-other')]).toEqual(['allowed', 'PRECONDITION_FAILED']);
  });

  it('believes no history that another service wrote into a rung of the ladder, as the default exchange lets it', async () => {
    const atIssuer = bus.connect({ url: urlOf('token-issuer') });
    await atIssuer.declare(issuer);
    const { handler, seen } = remembering();
    const running = await atIssuer.consume(issuer, handler);
    const headers = {
      'latchkey-exchange': 'latchkey.events',
      'latchkey-routing-key': 'purchase.completed.v1',
      'latchkey-publisher': 'checkout-acme',
      'latchkey-attempt': 2,
      cloudEvents_id: 'forged',
    };
    expect(await as('device-registry', publishing('', `token-issuer.retry.${fastLadder[0]!.name}`, { headers }))).toBe('allowed');
    await eventually(() => expect(seen().map(idOf)).toContain('forged'));
    const forged = seen().find((message) => idOf(message) === 'forged')!;
    expect(forged).toMatchObject({ attempt: 1, publisher: undefined });
    expect(forged.exchange).not.toBe('latchkey.events');
    await running.stop();
    await atIssuer.close();
  });

  it('keeps services out of what is not theirs', async () => {
    const refused: Record<string, (channel: ConfirmChannel) => Promise<unknown>> = {
      'read another’s queue': (channel) => channel.consume('token-issuer.in', () => undefined),
      'read another’s quarantine': (channel) => channel.get('token-issuer.dlq'),
      'say what another says': publishing('latchkey.events', 'device.registered.v1'),
      'copy to others what another says': publishing('latchkey.copies', 'gateway.device.registered.v1'),
      'forge its own copy': publishing('latchkey.copies', 'cookie.device.registered.v1'),
      'hear the copies of others': (channel) => channel.bindQueue('cookie.in', 'latchkey.copies', '#'),
      'say what a checkout says': publishing('latchkey.events', 'purchase.completed.v1'),
      'hear what it is not to hear': (channel) => channel.bindQueue('cookie.in', 'latchkey.events', 'purchase.completed.v1'),
      'hear everything': (channel) => channel.bindQueue('cookie.in', 'latchkey.events', '#'),
      'retry for another': publishing('token-issuer.retry', 'in'),
      'write into any queue': publishing('', 'token-issuer.in'),
      'answer for another': (channel) => channel.consume('device-registry.requests', () => undefined),
      'empty another’s queue': (channel) => channel.purgeQueue('token-issuer.in'),
      'delete what is shared': (channel) => channel.deleteExchange('latchkey.events'),
      'make queues of its own': (channel) => channel.assertQueue('cookie.more'),
    };
    for (const [what, act] of Object.entries(refused)) expect([what, await as('cookie', act)]).toEqual([what, 'ACCESS_REFUSED']);
    expect(await as('cookie', publishing('latchkey.events', 'cookie.issued.v1'))).toBe('allowed');
    expect(await as('cookie', publishing('latchkey.requests', 'device-registry.bind'))).toBe('allowed');
  });

  it('lets nobody in without a password', async () => {
    await expect(as('nobody', async () => undefined)).rejects.toThrow('403');
  });

  it('has a delivery limit that spares the neighbours of a crashing consumer, on input queues alone', async () => {
    const policies = async () => {
      const queues = await bus.vhost.management.request<{ name: string; policy?: string }[]>('GET', `/api/queues/${bus.vhost.name}`);
      return queues.filter(({ policy }) => policy === 'latchkey-delivery-limit').map(({ name }) => name);
    };
    await eventually(async () => expect((await policies()).sort()).toEqual(['cookie.in', 'device-registry.in', 'token-issuer.in']));

    expect(await as('token-issuer', (channel) => channel.purgeQueue('token-issuer.in'))).toBe('allowed');
    expect(await as('checkout-acme', publishing('latchkey.events', 'purchase.refunded.v1'))).toBe('allowed');
    // A bare RabbitMQ 4 gives up after 20 deliveries.
    const crash = async (channel: ConfirmChannel) => {
      for (let deliveries = 0; deliveries < 60; ) {
        const message = await channel.get('token-issuer.in');
        if (!message) continue;
        deliveries += 1;
        channel.nack(message);
      }
    };
    expect(await as('token-issuer', crash)).toBe('allowed');
    await eventually(async () => expect((await bus.vhost.depth('token-issuer.in')).messages).toBe(1));
  });
});
