import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear, PurchaseCompleted, type ServiceMessaging, TokenIssued } from '@latchkey/contracts';
import { eventTopology, requestTopology, topologyOf } from './topology.js';

const issuer: ServiceMessaging = {
  service: 'token-issuer',
  hears: [hear(PurchaseCompleted, ['cookie']), hear(DeviceRegistered, ['cookie'])],
  says: [TokenIssued],
  asks: ['cookie'],
};
const cookie: ServiceMessaging = { service: 'cookie', hears: [hear(DeviceRegistered, ['cookie'])], says: [], asks: [] };

/** Every argument name that RabbitMQ 3.10 knows for quorum queues, of those we could be tempted by. */
const known = ['x-queue-type', 'x-dead-letter-exchange', 'x-dead-letter-routing-key', 'x-dead-letter-strategy', 'x-overflow', 'x-message-ttl', 'x-delivery-limit'];

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

  it('binds what it hears, each once, and the ways of its retry exchange', () => {
    const twice = { ...issuer, hears: [...issuer.hears, hear(DeviceRegistered, ['deviceId'])] };
    expect(eventTopology(twice).bindings).toEqual([
      { exchange: 'token-issuer.retry', routingKey: 'dlq', queue: 'token-issuer.dlq' },
      { exchange: 'token-issuer.retry', routingKey: 'in', queue: 'token-issuer.in' },
      { exchange: 'token-issuer.retry', routingKey: '5s', queue: 'token-issuer.retry.5s' },
      { exchange: 'token-issuer.retry', routingKey: '30s', queue: 'token-issuer.retry.30s' },
      { exchange: 'token-issuer.retry', routingKey: '5m', queue: 'token-issuer.retry.5m' },
      { exchange: 'token-issuer.retry', routingKey: '30m', queue: 'token-issuer.retry.30m' },
      { exchange: 'latchkey.events', routingKey: 'purchase.completed.v1', queue: 'token-issuer.in' },
      { exchange: 'latchkey.events', routingKey: 'device.registered.v1', queue: 'token-issuer.in' },
    ]);
  });

  it('uses no argument that RabbitMQ 3.10 does not know', () => {
    for (const queue of topologyOf([issuer, cookie]).queues) expect(known).toEqual(expect.arrayContaining(Object.keys(queue.arguments)));
  });
});

describe('the topology of a system', () => {
  it('names each exchange once, and gives a request queue to those that are asked', () => {
    const topology = topologyOf([issuer, cookie]);
    expect(topology.exchanges).toEqual([
      { name: 'latchkey.events', type: 'topic', shared: true },
      { name: 'token-issuer.retry', type: 'direct', shared: false },
      { name: 'cookie.retry', type: 'direct', shared: false },
      { name: 'latchkey.rpc', type: 'direct', shared: true },
    ]);
    expect(topology.queues.map(({ name }) => name).filter((name) => name.endsWith('.rpc'))).toEqual(['cookie.rpc']);
    expect(topology.bindings).toEqual(expect.arrayContaining([...requestTopology('cookie').bindings]));
    expect(new Set(topology.queues.map(({ name }) => name)).size).toBe(topology.queues.length);
  });
});
