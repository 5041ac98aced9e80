import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AmqpProxy, describeWithRabbit, eventually } from '@latchkey/kits';
import { connect } from 'amqplib';
import type { RabbitBroker } from '../src/rabbit-broker.js';
import { cookieService, issuer, licenseServer, remembering, revoked } from './contract-fixtures.js';
import { RabbitBus } from './rabbit-bus.js';
import { asking } from './request-contract.js';

describeWithRabbit('RabbitMQ with a node that does not answer, and with replicas of the release before', () => {
  let bus: RabbitBus;
  let proxy: AmqpProxy;
  let broker: RabbitBroker;

  beforeEach(async () => {
    bus = await RabbitBus.open();
    proxy = await AmqpProxy.open(bus.vhost.amqpUrl);
    broker = bus.connect({ url: proxy.url, confirmTimeoutMs: 1_000, handlerGraceMs: 300, bindingUpkeepMs: 3_600_000 });
    await broker.declare(issuer);
    await broker.declare(cookieService);
  });
  afterEach(async () => {
    await bus.dispose();
    await proxy.close();
  });

  it('does not wait for ever for a node that answers nothing, and goes on with another connection', async () => {
    proxy.holdAnswers(true);
    // Connections that are made from now on are answered, as by another node.
    await broker.declare(licenseServer);
    const { handler, ids } = remembering();
    await broker.consume(licenseServer, handler);
    await eventually(() => expect(broker.state).toBe('up'), { timeoutMs: 60_000 });
    await eventually(async () => expect(await broker.publish([{ ...revoked('a'), copyFor: 'license-server' }])).toEqual(['confirmed']), { timeoutMs: 60_000 });
    await eventually(() => expect(ids()).toContain('a'), { timeoutMs: 60_000 });
  }, 180_000);

  it('answers callers of the release before, and is answered by services of the release before, once each', async () => {
    const answered: string[] = [];
    const running = await broker.serve('token-issuer', async ({ body }) => (answered.push(body.toString()), body));
    const connection = await connect(bus.vhost.amqpUrl);
    const channel = await connection.createChannel();
    const reply = Promise.withResolvers<string>();
    await channel.consume('amq.rabbitmq.reply-to', (message) => reply.resolve(String(message?.content)), { noAck: true });
    const send = (body: string): boolean =>
      channel.publish('latchkey.rpc', 'token-issuer', Buffer.from(body), {
        replyTo: 'amq.rabbitmq.reply-to',
        type: 'token-issuer.echo',
        headers: { 'latchkey-deadline-ms': String(Date.now() + 60_000) },
      });
    await eventually(async () => expect((await bus.vhost.depth('token-issuer.rpc')).consumers).toBe(1));
    send('former caller');
    expect(await reply.promise).toBe('former caller');
    expect(String(await broker.request('token-issuer', asking('present caller')))).toBe('present caller');
    expect(answered).toEqual(['former caller', 'present caller']);

    // A rollback: only a replica of the release before is left. The queue of this release is bound still, and takes what no
    // consumer will answer, until the broker removes it.
    await channel.consume('token-issuer.rpc', (message) => {
      channel.ack(message!);
      const correlationId = String(message!.properties.correlationId);
      channel.publish('', String(message!.properties.replyTo), Buffer.from('former service'), { correlationId });
    });
    await running.stop();
    const ask = async (): Promise<string> => String(await broker.request('token-issuer', asking('hello', 1_000)));
    await eventually(async () => expect(await ask()).toBe('former service'), { timeoutMs: 60_000 });

    // Upgraded again: requests go to the new replica.
    await broker.serve('token-issuer', async () => Buffer.from('present service'));
    expect(await ask()).toBe('present service');
    await connection.close();
  }, 90_000);

  it('says which channel is missing while its queue cannot be had, and that none is when it is back', async () => {
    await broker.serve('token-issuer', async ({ body }) => body);
    expect(broker.missingChannels()).toEqual([]);
    // Another queue stands under the name, as good as one that cannot be reached.
    await bus.vhost.management.deleteQueue('token-issuer.requests');
    const connection = await connect(bus.vhost.amqpUrl);
    const channel = await connection.createChannel();
    await channel.assertQueue('token-issuer.requests', { durable: true });
    await eventually(() => expect(broker.missingChannels()).toEqual(['token-issuer takes no requests']));
    await channel.deleteQueue('token-issuer.requests');
    await eventually(() => expect(broker.missingChannels()).toEqual([]), { timeoutMs: 60_000 });
    await connection.close();
  }, 90_000);
});
