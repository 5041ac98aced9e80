import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear, hearCopy, passOn, PurchaseCompleted, say, type ServiceMessaging } from '@latchkey/contracts';
import { eventTopology, requestTopology, topologyOf } from './topology.js';

const issuer: ServiceMessaging = {
  service: 'token-issuer',
  hears: [hear(PurchaseCompleted, ['cookie']), hear(DeviceRegistered, ['cookie'])],
  says: [],
  asks: ['cookie'],
};
const cookie: ServiceMessaging = { service: 'cookie', hears: [hearCopy(DeviceRegistered, ['cookie'])], says: [], asks: [] };
const registry: ServiceMessaging = { service: 'device-registry', hears: [], says: [say(DeviceRegistered, ['cookie'])], asks: [] };
const system = [issuer, cookie, registry];

/** Every argument name that RabbitMQ 3.10 knows for quorum queues, of those we could be tempted by. */
const known = ['x-queue-type', 'x-dead-letter-exchange', 'x-dead-letter-routing-key', 'x-dead-letter-strategy', 'x-overflow', 'x-message-ttl', 'x-delivery-limit', 'x-expires'];

function argumentsOf(name: string): Readonly<Record<string, unknown>> | undefined {
  return eventTopology(issuer).queues.find((queue) => queue.name === name)?.arguments;
}

describe('the topology of a service that hears', () => {
  it('has an input queue from which nothing can fall but into quarantine', () => {
    expect(argumentsOf('token-issuer.in')).toEqual({
      'x-queue-type': 'quorum',
      'x-dead-letter-exchange': 'token-issuer.retry',
      'x-dead-letter-routing-key': 'dlq',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    });
  });

  it('has a ladder of four rungs that lead back', () => {
    const rung = {
      'x-queue-type': 'quorum',
      'x-dead-letter-exchange': 'token-issuer.retry',
      'x-dead-letter-routing-key': 'in',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    };
    expect(argumentsOf('token-issuer.retry.5s')).toEqual({ ...rung, 'x-message-ttl': 5_000 });
    expect(argumentsOf('token-issuer.retry.30s')).toEqual({ ...rung, 'x-message-ttl': 30_000 });
    expect(argumentsOf('token-issuer.retry.5m')).toEqual({ ...rung, 'x-message-ttl': 300_000 });
    expect(argumentsOf('token-issuer.retry.30m')).toEqual({ ...rung, 'x-message-ttl': 1_800_000 });
  });

  it('has a quarantine that looking cannot empty', () => {
    expect(argumentsOf('token-issuer.dlq')).toEqual({ 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 });
  });

  it('binds what it hears and the ways of its retry exchange', () => {
    expect(eventTopology(issuer).bindings).toEqual([
      { exchange: 'token-issuer.retry', routingKey: 'dlq', queue: 'token-issuer.dlq' },
      { exchange: 'token-issuer.retry', routingKey: 'in', queue: 'token-issuer.in' },
      { exchange: 'token-issuer.retry', routingKey: '5s', queue: 'token-issuer.retry.5s' },
      { exchange: 'token-issuer.retry', routingKey: '30s', queue: 'token-issuer.retry.30s' },
      { exchange: 'token-issuer.retry', routingKey: '5m', queue: 'token-issuer.retry.5m' },
      { exchange: 'token-issuer.retry', routingKey: '30m', queue: 'token-issuer.retry.30m' },
      { exchange: 'latchkey.events', routingKey: 'purchase.completed.v1', queue: 'token-issuer.in' },
      { exchange: 'latchkey.events', routingKey: 'device.registered.v1', queue: 'token-issuer.in' },
    ]);
    expect(eventTopology(cookie).bindings.at(-1)).toEqual({ exchange: 'latchkey.copies', routingKey: 'cookie.device.registered.v1', queue: 'cookie.in' });
  });

  it('uses no argument that RabbitMQ 3.10 does not know', () => {
    for (const queue of topologyOf(system).queues) expect(known).toEqual(expect.arrayContaining(Object.keys(queue.arguments)));
  });
});

describe('the topology of a system', () => {
  it('names each exchange once, and gives a request queue to those that are asked', () => {
    const topology = topologyOf(system);
    expect(topology.exchanges).toEqual([
      { name: 'latchkey.events', type: 'topic', shared: true },
      { name: 'latchkey.copies', type: 'topic', shared: true },
      { name: 'token-issuer.retry', type: 'direct', shared: false },
      { name: 'cookie.retry', type: 'direct', shared: false },
      { name: 'latchkey.requests', type: 'topic', shared: true },
      { name: 'latchkey.rpc', type: 'direct', shared: true },
      { name: 'device-registry.retry', type: 'direct', shared: false },
    ]);
    expect(topology.queues.map(({ name }) => name).filter((name) => /\.(?:requests|rpc)$/.test(name))).toEqual(['cookie.requests', 'cookie.rpc']);
    expect(topology.bindings).toEqual(expect.arrayContaining([...requestTopology('cookie').bindings]));
    expect(new Set(topology.queues.map(({ name }) => name)).size).toBe(topology.queues.length);
  });

  it.each([
    ['two hear one original', [issuer, { ...cookie, hears: [hear(DeviceRegistered, ['cookie'])] }, { ...registry, says: [say(DeviceRegistered)] }], 'cookie hears the original of device.registered.v1'],
    ['a copy is said by nobody', [issuer, cookie], 'nobody says the copy cookie.device.registered.v1'],
    ['a copy is heard by nobody', [issuer, cookie, { ...registry, says: [say(DeviceRegistered, ['cookie', 'gateway'])] }], 'nobody hears the copy gateway.device.registered.v1'],
    ['what is passed on is heard by nobody', [...system, { ...cookie, service: 'gateway', hears: [], says: [passOn(PurchaseCompleted, ['license-server'])] }], 'nobody hears the copy license-server.purchase.completed.v1'],
    ['a copy has two senders', [...system, { ...cookie, service: 'gateway', hears: [], says: [passOn(DeviceRegistered, ['cookie'])] }], 'the copy cookie.device.registered.v1 is said twice'],
    ['something is passed on to nobody', [...system, { ...cookie, service: 'gateway', hears: [], says: [passOn(PurchaseCompleted, [])] }], 'gateway passes purchase.completed.v1 on to nobody'],
  ] as [string, ServiceMessaging[], string][])('is refused where %s', (_, services, problem) => {
    expect(() => topologyOf(services)).toThrow(problem);
  });
});
