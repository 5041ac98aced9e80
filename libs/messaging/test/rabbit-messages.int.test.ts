import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DeviceRevoked, hear } from '@latchkey/contracts';
import { describeWithRabbit, eventually } from '@latchkey/kits';
import { type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib';
import { done } from '../src/broker.js';
import type { RabbitBroker } from '../src/rabbit-broker.js';
import { cookieService, depthsOf, idOf, issuer, remembering, revoked } from './contract-fixtures.js';
import { RabbitBus } from './rabbit-bus.js';

describeWithRabbit('RabbitMQ and messages from anywhere', () => {
  let bus: RabbitBus;
  let broker: RabbitBroker;
  let checkout: ChannelModel;
  let channel: ConfirmChannel;
  let checkoutUser: string;

  beforeEach(async () => {
    bus = await RabbitBus.open();
    broker = bus.connect();
    await broker.declare(issuer);
    const user = await bus.vhost.createUser('checkout-acme');
    checkoutUser = user.username;
    checkout = await connect(user.amqpUrl);
    channel = await checkout.createConfirmChannel();
  });
  afterEach(async () => {
    await checkout.close();
    await bus.dispose();
  });

  /** Publishes to `token-issuer.in` as any AMQP client would. */
  async function publishRaw(body: Buffer, options: Options.Publish = {}): Promise<void> {
    channel.publish('latchkey.events', DeviceRevoked.type, body, { persistent: true, ...options });
    await channel.waitForConfirms();
  }

  it('believes the broker about the publisher, and no header, on every attempt', async () => {
    const { handler, seen } = remembering((message) => (message.attempt < 3 ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    const headers = { 'latchkey-attempt': 19, 'latchkey-publisher': 'checkout-other', 'latchkey-routing-key': 'device.registered.v1' };
    await publishRaw(Buffer.from('{}'), { userId: checkoutUser, headers });
    await eventually(() => expect(seen().map(({ attempt }) => attempt)).toEqual([1, 2, 3]));
    for (const message of seen()) {
      expect(message).toMatchObject({ publisher: checkoutUser, exchange: 'latchkey.events', routingKey: DeviceRevoked.type });
    }
  });

  it('knows no publisher where none was named, on every attempt and after a redrive', async () => {
    let poison = true;
    const { handler, seen } = remembering((message) => {
      if (message.attempt === 1) return { kind: 'retry', reason: 'not yet' };
      return poison ? { kind: 'quarantine', reason: 'poison' } : done;
    });
    await broker.consume(issuer, handler);
    await publishRaw(Buffer.from('{}'), { headers: { 'latchkey-publisher': 'checkout-other' } });
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    poison = false;
    await broker.redrive('token-issuer');
    await eventually(() => expect(seen().map(({ attempt, publisher }) => [attempt, publisher])).toEqual([[1, undefined], [2, undefined], [1, undefined], [2, undefined]]));
  });

  it('does not let a message multiply itself by the CC header that the broker obeys', async () => {
    const { handler, seen } = remembering((message) => (message.attempt < 3 ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    await publishRaw(Buffer.from('{}'), { CC: ['in', 'dlq'] });
    await eventually(() => expect(seen().map(({ attempt }) => attempt)).toEqual([1, 2, 3]));
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('carries strange headers and properties through a retry unchanged', async () => {
    const { handler, seen } = remembering((message) => (message.attempt === 1 ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    const headers = {
      text: 'é\u0000',
      bytes: Buffer.from([0, 255]),
      whole: 2 ** 40,
      part: 1.5,
      no: null,
      yes: true,
      time: { '!': 'timestamp', value: 1_795_000_000 },
      table: { list: [1, 'a', { deep: false }] },
    };
    await publishRaw(Buffer.from([0xff, 0x00]), { contentType: 'application/cloudevents+json; charset=utf-8', headers });
    await eventually(() => expect(seen()).toHaveLength(2));
    const [first, second] = seen();
    expect(second).toMatchObject({ body: first!.body, contentType: first!.contentType, headers: first!.headers });
    expect(Object.keys(first!.headers).sort()).toEqual(Object.keys(headers).sort());
  });

  it('puts what is too large into quarantine without handing it over, and redrives it there again', async () => {
    const { handler, ids } = remembering();
    await broker.consume(issuer, handler);
    await publishRaw(Buffer.alloc(5_000_000, '{'), { userId: checkoutUser, messageId: 'huge', headers: { 'latchkey-reason': 'a lie' } });
    await broker.publish([revoked('neighbour')]);
    const inQuarantine = async () => {
      await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
      expect(await broker.quarantined('token-issuer', 10)).toMatchObject([{ id: 'huge', type: DeviceRevoked.type, attempt: 1, reason: expect.stringContaining('larger') }]);
    };
    await inQuarantine();
    await eventually(async () => expect(await broker.redrive('token-issuer')).toBe(1));
    await inQuarantine();
    expect(ids()).toEqual(['neighbour']);
  });

  it('puts a message aside whose headers are too large to be sent on', async () => {
    const { handler, seen } = remembering((message) => (idOf(message) === 'wide' ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    // As much as amqplib itself can write: with our history it is too much.
    await publishRaw(Buffer.from('{}'), { messageId: 'wide', headers: { cloudEvents_id: 'wide', filler: 'x'.repeat(65_400) } });
    await broker.publish([revoked('neighbour')]);
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(seen().map(idOf).sort()).toEqual(['neighbour', 'wide']);
    expect(await broker.quarantined('token-issuer', 1)).toMatchObject([{ id: 'wide' }]);
  });

  it('hands garbage over as it is: reading it is not the bus’s business', async () => {
    const { handler, seen } = remembering();
    await broker.consume(issuer, handler);
    await publishRaw(Buffer.alloc(0));
    await publishRaw(Buffer.from([0xc3, 0x28]), { contentType: 'image/png', correlationId: 'x', type: 'y' });
    await eventually(() => expect(seen().map(({ body, contentType }) => [body.length, contentType])).toEqual([[0, undefined], [2, 'image/png']]));
  });

  it('keeps what expires on the way in', async () => {
    await publishRaw(Buffer.from('{}'), { messageId: 'short-lived', expiration: 1 });
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(await broker.quarantined('token-issuer', 1)).toMatchObject([{ id: 'short-lived', reason: expect.stringContaining('expired') }]);
    const { handler, seen } = remembering();
    await broker.consume(issuer, handler);
    await eventually(async () => expect(await broker.redrive('token-issuer')).toBe(1));
    await eventually(() => expect(seen()).toMatchObject([{ attempt: 1, exchange: 'latchkey.events', routingKey: DeviceRevoked.type }]));
  });

  it('loses nothing to the delivery limit of a bare broker, and redrives it as what it was', async () => {
    const headers = { 'latchkey-publisher': 'checkout-other', 'x-death': [{ queue: 'token-issuer.in', exchange: 'x', 'routing-keys': ['device.registered.v1'] }] };
    await publishRaw(Buffer.from('{}'), { messageId: 'crasher', userId: checkoutUser, headers });
    const crashing = await checkout.createChannel();
    for (let deliveries = 0; deliveries < 40; deliveries += 1) {
      const message = await crashing.get('token-issuer.in');
      if (message) crashing.nack(message);
    }
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(await broker.quarantined('token-issuer', 1)).toMatchObject([{ id: 'crasher', reason: expect.stringContaining('too often') }]);
    const { handler, seen } = remembering();
    await broker.consume(issuer, handler);
    await eventually(async () => expect(await broker.redrive('token-issuer')).toBe(1));
    await eventually(() => expect(seen()).toMatchObject([{ attempt: 1, publisher: checkoutUser, exchange: 'latchkey.events', routingKey: DeviceRevoked.type }]));
  });

  it('does nothing for a request that is past its deadline, or says none', async () => {
    const served: string[] = [];
    await broker.serve('token-issuer', async ({ name, body }) => {
      served.push(name);
      return body;
    });
    const ask = (type: string | undefined, deadline: unknown) =>
      channel.publish('latchkey.requests', 'token-issuer.x', Buffer.from('{}'), { type, replyTo: 'nowhere', expiration: '5000', headers: { 'latchkey-deadline-ms': deadline } });
    ask('late', String(Date.now() - 1));
    ask('without deadline', undefined);
    ask('odd deadline', 'soon');
    ask(undefined, String(Date.now() + 60_000));
    ask('in time', String(Date.now() + 60_000));
    await eventually(() => expect(served).toEqual(['in time']));
    await eventually(async () => expect((await bus.vhost.depth('token-issuer.requests')).messages).toBe(0));
    await eventually(() => expect(bus.lines.some(({ message }) => message.includes('clock of this service differs'))).toBe(true));
    expect(served).toEqual(['in time']);
  });

  it('tells a caller whose clock is behind that its request seems to have expired, and does nothing', async () => {
    const served: string[] = [];
    await broker.serve('token-issuer', async ({ name, body }) => (served.push(name), body));
    const answer = Promise.withResolvers<unknown>();
    await channel.consume('amq.rabbitmq.reply-to', (message) => answer.resolve(JSON.parse(String(message?.content))), { noAck: true });
    channel.publish('latchkey.requests', 'token-issuer.x', Buffer.from('{}'), {
      type: 'token-issuer.x',
      replyTo: 'amq.rabbitmq.reply-to',
      expiration: '5000',
      headers: { 'latchkey-deadline-ms': String(Date.now() - 2_000) },
    });
    expect(await answer.promise).toMatchObject({ ok: false, problem: { code: 'unavailable', detail: expect.stringContaining('clocks') } });
    expect(served).toEqual([]);
  });

  it('declares durable queues with the arguments that the guarantees need', async () => {
    const queues = new Map((await bus.vhost.management.queues()).map((queue) => [queue.name, queue]));
    expect([...queues.keys()].sort()).toEqual(['token-issuer.dlq', 'token-issuer.in', 'token-issuer.retry.100ms', 'token-issuer.retry.50ms']);
    for (const { type, durable } of queues.values()) expect([type, durable]).toEqual(['quorum', true]);
    expect(queues.get('token-issuer.retry.50ms')!.arguments).toEqual({
      'x-queue-type': 'quorum',
      'x-message-ttl': 50,
      'x-dead-letter-exchange': 'token-issuer.retry',
      'x-dead-letter-routing-key': 'in',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    });
    const events = (await bus.vhost.management.exchanges()).find(({ name }) => name === 'latchkey.events');
    expect(events).toMatchObject({ type: 'topic', durable: true, arguments: {} });
  });

  it('refuses an address that is none, without repeating it', () => {
    for (const url of ['http://me:secret@host', 'amqp//me:secret@host', '']) {
      expect(() => bus.connect({ url })).toThrow(new Error('the broker’s address is not an amqp: or amqps: URL'));
    }
  });

  it('never logs the password, or what is in a message', async () => {
    const { hostname, port, pathname } = new URL(bus.vhost.amqpUrl);
    const locked = bus.connect({ url: `amqp://nobody:secret-word@${hostname}:${port}${pathname}` });
    await locked.declare(issuer);
    const { handler } = remembering(() => {
      throw new Error('cannot handle secret-word');
    });
    const running = await broker.consume(issuer, handler);
    await publishRaw(Buffer.from('secret-word'), { headers: { note: 'secret-word' } });
    await eventually(() => expect(bus.lines.map(({ message }) => message)).toContain('a batch was not handled and is repeated'));
    await running.stop();
    expect(bus.lines.map(({ message }) => message)).toContain('cannot connect to the broker');
    expect(JSON.stringify(bus.lines)).not.toContain('secret-word');
  });

  it('refuses to start on a queue that is not as it should be', async () => {
    await channel.assertQueue('cookie.in', { durable: true });
    await expect(broker.declare(cookieService)).rejects.toThrow('PRECONDITION');
    await expect(broker.consume({ ...cookieService, hears: [hear(DeviceRevoked, [])] }, remembering().handler)).rejects.toThrow('PRECONDITION');
    expect(broker.state).toBe('up');
  });
});
