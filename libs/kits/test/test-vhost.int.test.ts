import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { Checkout, createTestVhost, describeWithRabbit, eventually } from '../src/index.js';
import type { TestVhost } from '../src/index.js';

describeWithRabbit('createTestVhost and Checkout', () => {
  let vhost: TestVhost;

  beforeAll(async () => {
    vhost = await createTestVhost();
    const connection = await connect(vhost.amqpUrl);
    const channel = await connection.createChannel();
    await channel.assertExchange('latchkey.events', 'topic', { durable: true });
    await channel.assertQueue('heard', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue('heard', 'latchkey.events', 'purchase.#');
    await connection.close();
  });
  afterAll(() => vhost.close());

  it('lists what is in the vhost', async () => {
    expect(await vhost.management.queues()).toEqual([
      expect.objectContaining({ name: 'heard', durable: true, type: 'quorum' }),
    ]);
    expect(await vhost.management.bindings()).toContainEqual(
      expect.objectContaining({ source: 'latchkey.events', destination: 'heard', routing_key: 'purchase.#' }),
    );
  });

  it('tells an accepted message from an unroutable one', async () => {
    const checkout = await Checkout.connect(vhost.amqpUrl);
    expect(await checkout.publish({ type: 'purchase.completed.v1', data: { a: 1 } })).toBe('accepted');
    expect(await checkout.publish({ type: 'purchase.completed.v1', data: { a: 1 }, mode: 'structured' })).toBe('accepted');
    expect(await checkout.publish({ type: 'nobody.listens.v1', data: {} })).toBe('unroutable');
    await checkout.close();
    await eventually(async () => expect(await vhost.depth('heard')).toEqual({ messages: 2, consumers: 0 }));
  });

  it('publishes both CloudEvents modes as the AMQP binding writes them', async () => {
    const connection = await connect(vhost.amqpUrl);
    const channel = await connection.createChannel();
    const binary = await channel.get('heard', { noAck: true });
    const structured = await channel.get('heard', { noAck: true });
    await connection.close();
    if (!binary || !structured) throw new Error('two messages were accepted');
    const username = decodeURIComponent(new URL(vhost.amqpUrl).username);
    expect(binary.properties).toMatchObject({ contentType: 'application/json', userId: username });
    expect(binary.properties.headers).toMatchObject({
      cloudEvents_specversion: '1.0',
      cloudEvents_type: 'purchase.completed.v1',
      cloudEvents_id: String(binary.properties.messageId),
    });
    expect(JSON.parse(binary.content.toString())).toEqual({ a: 1 });
    expect(structured.properties.contentType).toBe('application/cloudevents+json');
    expect(JSON.parse(structured.content.toString())).toMatchObject({ type: 'purchase.completed.v1', data: { a: 1 } });
  });

  it('makes users with the rights it is told, and the broker checks who they say they are', async () => {
    const { username, amqpUrl } = await vhost.createUser('shop', { configure: '', write: 'latchkey\\.events', read: '' });
    const checkout = await Checkout.connect(amqpUrl);
    expect(await checkout.publish({ type: 'purchase.completed.v1', data: {} })).toBe('accepted');
    await expect(checkout.publish({ type: 'purchase.completed.v1', data: {}, userId: 'somebody' })).rejects.toThrow();
    await checkout.close();
    expect(username).toMatch(/^shop-/);
  });

  it('cuts connections', async () => {
    const connection = await connect(vhost.amqpUrl);
    // amqplib tells of a close that an operator forced by `close` alone, not by `error`.
    const cut = new Promise<unknown>((resolve) => connection.once('close', resolve));
    await eventually(async () => expect(await vhost.management.closeConnections()).toBeGreaterThan(0));
    await expect(cut).resolves.toMatchObject({ code: 320 });
  });
});
