import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AmqpProxy, describeWithRabbit, eventually } from '@latchkey/kits';
import type { CloudEvent } from '@latchkey/contracts';
import { BATCH_SIZE_MAX, done, RequestTimeout, RequestUnroutable } from '../src/broker.js';
import type { RabbitBroker } from '../src/rabbit-broker.js';
import { cookieService, depthsOf, idOf, issuer, licenseServer, many, registered, remembering, revoked } from './contract-fixtures.js';
import { RabbitBus } from './rabbit-bus.js';
import { asking } from './request-contract.js';

describeWithRabbit('RabbitMQ and its connections failing', () => {
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

  /** Publishes as the outbox does: what is not confirmed is published again. */
  async function publishAll(from: RabbitBroker, events: readonly CloudEvent[]): Promise<void> {
    for (let open = events; open.length > 0; ) {
      const outcomes = await from.publish(open.slice(0, 50));
      const failed = open.slice(0, 50).filter((_, index) => outcomes[index] !== 'confirmed');
      if (failed.length > 0) await delay(20);
      open = [...failed, ...open.slice(50)];
    }
  }

  it('loses nothing when connections are closed again and again while it publishes and consumes', async () => {
    const { handler, ids } = remembering(() => delay(1, done));
    await broker.consume(issuer, handler);
    const events = many(1_500);
    const publishing = publishAll(broker, events);
    for (let round = 0; round < 4; round += 1) {
      await delay(150);
      proxy.cut();
    }
    await publishing;
    await eventually(() => expect(new Set(ids()).size).toBe(events.length), { timeoutMs: 20_000 });
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
    // All may be through before the last connection that was cut has been made again.
    await eventually(() => expect(broker.state).toBe('up'));
  });

  it('finds every binding lost that one of several hearers needs, and binds it again', async () => {
    await broker.declare(licenseServer);
    const upkeep = bus.connect({ bindingUpkeepMs: 200 });
    const bindings = async () => (await bus.vhost.management.bindings()).filter(({ source }) => source !== '').map(({ source, routing_key: key, destination }) => `${source} ${key} ${destination}`);
    const before = (await bindings()).sort();
    const unbind = async (exchange: string, queue: string, key: string) =>
      bus.vhost.management.request('DELETE', `/api/bindings/${encodeURIComponent(bus.vhost.name)}/e/${exchange}/q/${queue}/${encodeURIComponent(key)}`);
    const { handler, ids } = remembering();
    await broker.consume(issuer, handler);

    await unbind('latchkey.copies', 'license-server.in', 'license-server.device.revoked.v1');
    await unbind('latchkey.events', 'token-issuer.in', 'device.revoked.v1');
    expect(await broker.publish([{ ...revoked('a'), copyFor: 'license-server' }])).toEqual(['unroutable']);
    expect(await broker.publish([revoked('a')])).toEqual(['unroutable']);

    for (const messaging of [issuer, licenseServer, cookieService]) await upkeep.declare(messaging);
    await unbind('latchkey.copies', 'license-server.in', 'license-server.device.revoked.v1');
    await unbind('latchkey.events', 'token-issuer.in', 'device.revoked.v1');
    await eventually(async () => expect((await bindings()).sort()).toEqual(before));
    expect(await broker.publish([{ ...revoked('a'), copyFor: 'license-server' }])).toEqual(['confirmed']);
    expect(await broker.publish([revoked('a')])).toEqual(['confirmed']);
    await eventually(() => expect(ids()).toEqual(['a']));
  });

  it('comes back when the broker’s operator closes its connections', async () => {
    const { handler, ids } = remembering();
    await broker.consume(issuer, handler);
    await eventually(async () => expect(await bus.vhost.management.connections()).toHaveLength(2));
    expect(await bus.vhost.management.closeConnections()).toBe(2);
    await publishAll(broker, many(3));
    await eventually(() => expect(ids()).toEqual(expect.arrayContaining(['e-0', 'e-1', 'e-2'])));
  });

  it('declares its queue again and consumes on when the queue is deleted', async () => {
    const { handler, ids } = remembering();
    await broker.consume(issuer, handler);
    await bus.vhost.management.deleteQueue('token-issuer.in');
    await eventually(async () => expect(await broker.publish([revoked('after')])).toEqual(['confirmed']));
    await eventually(() => expect(ids()).toContain('after'));
  });

  it('declares everything again on a new connection', async () => {
    for (const queue of ['token-issuer.in', 'token-issuer.dlq', 'token-issuer.retry.50ms']) await bus.vhost.management.deleteQueue(queue);
    proxy.cut();
    await eventually(async () => expect(await broker.publish([revoked('a')])).toEqual(['confirmed']));
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 1, retry: 0, dlq: 0 }));
  });

  it('acknowledges nothing on another channel than it came by', async () => {
    const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handled: { id: string; redelivered: boolean }[] = [];
    await broker.consume(issuer, async (messages) => {
      entered.resolve();
      await release.promise;
      handled.push(...messages.map((message) => ({ id: idOf(message), redelivered: message.redelivered })));
      return messages.map(() => done);
    });
    await broker.publish([revoked('in hand')]);
    await entered.promise;
    await broker.publish([revoked('waiting')]);
    proxy.cut();
    await eventually(() => expect(broker.state).toBe('down'));
    release.resolve();
    await eventually(() => expect(handled.map(({ id }) => id).sort()).toEqual(['in hand', 'in hand', 'waiting']));
    expect(handled.filter(({ id, redelivered }) => id === 'in hand' && redelivered)).toHaveLength(1);
    await eventually(async () => expect(await depthsOf(broker, issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('does not handle a message beside itself while its handler is still busy with it', async () => {
    const patient = bus.connect({ url: proxy.url });
    let [underWay, mostAtOnce, calls] = [0, 0, 0];
    await patient.consume(issuer, async (messages) => {
      calls += 1;
      mostAtOnce = Math.max(mostAtOnce, (underWay += 1));
      await delay(800);
      underWay -= 1;
      return messages.map(() => done);
    });
    await broker.publish([revoked('slow')]);
    await eventually(() => expect(underWay).toBe(1));
    proxy.cut();
    await eventually(() => expect([calls, underWay]).toEqual([2, 0]));
    expect(mostAtOnce).toBe(1);
  });

  it('goes on after a handler that hangs, when the broker has taken its messages back', async () => {
    const hang = Promise.withResolvers<void>();
    const { handler, ids } = remembering();
    let first = true;
    await broker.consume(issuer, async (messages) => {
      if (first) {
        first = false;
        await hang.promise;
      }
      return handler(messages);
    });
    await broker.publish([revoked('stuck')]);
    await eventually(() => expect(first).toBe(false));
    proxy.cut();
    await eventually(() => expect(ids()).toEqual(['stuck']));
    hang.resolve();
  });

  it('keeps a message until its retry is confirmed, and declares a rung that has vanished', async () => {
    const { handler, seen } = remembering((message) => (message.attempt === 1 ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    await bus.vhost.management.deleteQueue('token-issuer.retry.50ms');
    await broker.publish([revoked('a')]);
    await eventually(() => expect(seen().map(({ attempt }) => attempt)).toEqual([1, 2]));
    expect(bus.lines.map(({ message }) => message)).toContain('verdicts could not be carried out yet');
  });

  it('gives back what it has held for long, as a new message, before the broker takes it away', async () => {
    const holding = bus.connect({ heldMsMax: 100, prefetch: 1 });
    const first = remembering(() => ({ kind: 'wait', reason: 'the database is away', queueWaits: true }));
    await holding.consume(issuer, first.handler);
    await broker.publish([revoked('a')]);
    await eventually(() => expect(first.ids()).toContain('a'));
    // Idle so far: what it gets has been given back by the other one.
    const { handler, seen, ids } = remembering();
    await broker.consume(issuer, handler);
    await eventually(() => expect(ids()).toEqual(['a']));
    // Neither counts: an outage of days must not use up attempts, nor the broker's limit of deliveries.
    expect(seen()[0]).toMatchObject({ attempt: 1, redelivered: false, exchange: 'latchkey.events' });
    expect(first.seen().every(({ redelivered }) => !redelivered)).toBe(true);
  });

  it('answers failed when no confirm comes in time, and publishes again when the broker is back', async () => {
    proxy.holdUp(true);
    const startMs = performance.now();
    expect(await broker.publish(many(3))).toEqual(['failed', 'failed', 'failed']);
    expect(performance.now() - startMs).toBeGreaterThan(900);
    proxy.holdUp(false);
    await eventually(async () => expect(await broker.publish(many(3))).toEqual(['confirmed', 'confirmed', 'confirmed']));
  });

  it('fails at once while the broker is away, and begins what was started meanwhile when it comes', async () => {
    const late = await AmqpProxy.away(bus.vhost.amqpUrl);
    const early = bus.connect({ url: late.url });
    const { handler, ids } = remembering();
    await early.declare(issuer);
    await early.consume(issuer, handler);
    await early.serve('token-issuer', async ({ body }) => body);
    expect(early.state).toBe('down');
    expect(await early.publish([revoked('a')])).toEqual(['failed']);
    await expect(early.request('token-issuer', asking('hello'))).rejects.toBeInstanceOf(RequestUnroutable);
    await late.listen();
    await eventually(async () => expect(await early.publish([revoked('b')])).toEqual(['confirmed']));
    await eventually(() => expect(ids()).toContain('b'));
    await eventually(async () => expect(String(await early.request('token-issuer', asking('hello')))).toBe('hello'));
    await early.close();
    await late.close();
  });

  it('pauses publishing while the broker is blocked, and goes on acknowledging what is done', async () => {
    const { handler, ids } = remembering((message) => (idOf(message) === 'again' && message.attempt === 1 ? { kind: 'retry', reason: 'not yet' } : done));
    await broker.consume(issuer, handler);
    const other = bus.connect();
    await other.declare(issuer);
    const asked: string[] = [];
    await other.serve('token-issuer', async ({ body }) => (asked.push(String(body)), body));
    expect(String(await broker.request('token-issuer', asking('before')))).toBe('before');
    proxy.sayBlocked('(publishing)', true);
    await eventually(() => expect(broker.state).toBe('blocked'));
    const startMs = performance.now();
    expect(await broker.publish(many(2))).toEqual(['failed', 'failed']);
    await expect(broker.request('token-issuer', asking('hello'))).rejects.toBeInstanceOf(RequestUnroutable);
    expect(performance.now() - startMs).toBeLessThan(500);

    await other.publish([revoked('again'), revoked('b'), revoked('c')]);
    await eventually(() => expect(ids()).toEqual(['again', 'b', 'c']));
    await delay(300);
    expect(ids()).toEqual(['again', 'b', 'c']);
    proxy.sayBlocked('(publishing)', false);
    await eventually(() => expect(ids()).toEqual(['again', 'b', 'c', 'again']));
    expect(await broker.publish([registered('d')])).toEqual(['confirmed']);
    // The proxy lets through what is sent to a broker that says that it is blocked: nothing was.
    expect(String(await broker.request('token-issuer', asking('after')))).toBe('after');
    expect(asked).toEqual(['before', 'after']);
  });

  it('handles what it was given before it stops, so that none of it is delivered again', async () => {
    const gate = Promise.withResolvers<void>();
    const { handler, ids } = remembering(() => gate.promise.then(() => done));
    const other = bus.connect();
    await other.declare(issuer);
    const events = many(500);
    await publishAll(other, events);
    const running = await broker.consume(issuer, handler);
    // The whole prefetch is here and nothing on its way: what is on its way when a consumer is cancelled, the broker takes
    // back and flags as redelivered, although nobody has seen it.
    await eventually(async () => expect((await bus.vhost.depth('token-issuer.in')).messages).toBe(events.length - 2 * BATCH_SIZE_MAX));
    await delay(500);
    const stopped = running.stop();
    // Long enough that it has been cancelled, and has the rest still to handle.
    await delay(500);
    gate.resolve();
    await stopped;
    expect(ids()).toHaveLength(2 * BATCH_SIZE_MAX);
    const next = remembering();
    await other.consume(issuer, next.handler);
    await eventually(() => expect([...ids(), ...next.ids()].sort()).toEqual(events.map(({ id }) => id).sort()));
    expect(next.seen().filter(({ redelivered }) => redelivered)).toEqual([]);
  });

  it('keeps in the queue what it could not put onto the ladder before it stopped', async () => {
    const { handler, ids } = remembering(() => ({ kind: 'retry', reason: 'not yet' }));
    await broker.consume(issuer, handler);
    const other = bus.connect();
    await other.declare(issuer);
    proxy.sayBlocked('(publishing)', true);
    await eventually(() => expect(broker.state).toBe('blocked'));
    await other.publish([revoked('a')]);
    await eventually(() => expect(ids()).toEqual(['a']));
    await broker.close();
    const next = remembering();
    await other.consume(issuer, next.handler);
    await eventually(() => expect(next.seen()).toMatchObject([{ attempt: 1, redelivered: true }]));
  });

  it('tells an asker whose connection is lost that nobody knows, and asks again on the next one', async () => {
    const server = bus.connect();
    const entered = Promise.withResolvers<void>();
    await server.serve('token-issuer', async ({ body }) => {
      entered.resolve();
      if (body.toString() === 'slow') await delay(500);
      return body;
    });
    const startMs = performance.now();
    const answer = broker.request('token-issuer', asking('slow', 20_000));
    await Promise.all([expect(answer).rejects.toBeInstanceOf(RequestTimeout), entered.promise.then(() => proxy.cut())]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    await eventually(async () => expect(String(await broker.request('token-issuer', asking('hello')))).toBe('hello'));
  });

  it('stops and closes in good time while the broker is away', async () => {
    const running = await broker.consume(issuer, remembering().handler);
    await proxy.close();
    await eventually(() => expect(broker.state).toBe('down'));
    const startMs = performance.now();
    await running.stop();
    await broker.close();
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});
