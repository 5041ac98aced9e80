import { describe, expect, it } from '@jest/globals';
import { CookieIssued, DeviceRegistered, hear, hearCopy, say, type ServiceMessaging } from '@latchkey/contracts';
import { brokerPasswordHash, definitionsOf } from './definitions.js';

const cookie: ServiceMessaging = { service: 'cookie', hears: [hearCopy(DeviceRegistered, ['cookie'])], says: [say(CookieIssued)], asks: ['device-registry'] };
const registry: ServiceMessaging = { service: 'device-registry', hears: [hear(CookieIssued, ['cookie'])], says: [say(DeviceRegistered, ['cookie'])], asks: [] };
const services = [cookie, registry];

function rightsOf(name: string): { allows(action: 'configure' | 'write' | 'read', resource: string): boolean } {
  const users = [
    { name: 'cookie', role: { kind: 'service', service: 'cookie' } },
    { name: 'device-registry', role: { kind: 'service', service: 'device-registry' } },
    { name: 'checkout-acme', role: { kind: 'checkout' } },
  ] as const;
  const permission = definitionsOf(services, { users })['permissions']!.find(({ user }) => user === name)!;
  // RabbitMQ matches a name anywhere in it, so the expressions have to be anchored.
  return { allows: (action, resource) => new RegExp(String(permission[action])).test(resource) };
}

describe('definitions', () => {
  it('let a service configure, read and write what is its own', () => {
    const { allows } = rightsOf('cookie');
    for (const name of ['cookie.in', 'cookie.dlq', 'cookie.retry', 'cookie.retry.5s', 'cookie.retry.30m']) {
      for (const action of ['configure', 'write', 'read'] as const) expect([name, action, allows(action, name)]).toEqual([name, action, true]);
    }
  });

  it('let a service use the shared exchanges, and not change them', () => {
    const { allows } = rightsOf('cookie');
    expect([allows('write', 'latchkey.events'), allows('read', 'latchkey.events'), allows('configure', 'latchkey.events')]).toEqual([true, true, false]);
    expect([allows('write', 'latchkey.requests'), allows('configure', 'latchkey.requests')]).toEqual([true, false]);
  });

  it('let only those who answer requests write where reply addresses lie', () => {
    expect([rightsOf('cookie').allows('write', 'amq.default'), rightsOf('device-registry').allows('write', 'amq.default')]).toEqual([false, true]);
    expect([rightsOf('cookie').allows('read', 'cookie.requests'), rightsOf('device-registry').allows('read', 'device-registry.requests')]).toEqual([false, true]);
  });

  it('keep everybody from what is another service’s, or merely looks like their own', () => {
    for (const user of ['cookie', 'checkout-acme']) {
      for (const name of ['device-registry.in', 'device-registry.retry', 'device-registry.dlq', 'device-registry.requests', 'cookie.in2', 'xcookie.in', 'cookie-in', 'amq.topic']) {
        for (const action of ['configure', 'write', 'read'] as const) expect([name, action, rightsOf(user).allows(action, name)]).toEqual([name, action, false]);
      }
    }
    expect(rightsOf('checkout-acme').allows('read', 'latchkey.events')).toBe(false);
    for (const name of ['cookie.in', 'latchkey.copies']) expect(rightsOf('checkout-acme').allows('write', name)).toBe(false);
  });

  it('leave out the queue that expires without a consumer, and its binding, and keep the permissions for it', () => {
    const { queues, bindings } = definitionsOf(services, { users: [] });
    expect(queues!.map(({ name }) => name)).toContain('device-registry.rpc');
    expect(queues!.map(({ name }) => name)).not.toContain('device-registry.requests');
    expect(bindings!.map(({ destination }) => destination)).not.toContain('device-registry.requests');
    expect(rightsOf('device-registry').allows('configure', 'device-registry.requests')).toBe(true);
  });

  it('restrict routing keys to what is said and heard', () => {
    const definitions = definitionsOf(services, {
      users: [
        { name: 'c', role: { kind: 'service', service: 'cookie' } },
        { name: 'r', role: { kind: 'service', service: 'device-registry' } },
        { name: 'checkout-acme', role: { kind: 'checkout' } },
        { name: 'root', role: { kind: 'administrator' } },
      ],
    });
    expect(definitions['topic_permissions']).toEqual([
      { user: 'c', vhost: '/', exchange: 'latchkey.events', write: '^(?:cookie\\.issued\\.v1)$', read: '^$' },
      { user: 'c', vhost: '/', exchange: 'latchkey.copies', write: '^$', read: '^(?:cookie\\.device\\.registered\\.v1)$' },
      { user: 'c', vhost: '/', exchange: 'latchkey.requests', write: '^(?:device-registry)\\.', read: '^$' },
      { user: 'r', vhost: '/', exchange: 'latchkey.events', write: '^(?:device\\.registered\\.v1)$', read: '^(?:cookie\\.issued\\.v1)$' },
      { user: 'r', vhost: '/', exchange: 'latchkey.copies', write: '^(?:cookie\\.device\\.registered\\.v1)$', read: '^$' },
      { user: 'r', vhost: '/', exchange: 'latchkey.requests', write: '^$', read: '^(?:device-registry\\.#)$' },
      { user: 'checkout-acme', vhost: '/', exchange: 'latchkey.events', write: '^purchase\\.(completed|refunded)\\.v1$', read: '^$' },
    ]);
    expect(definitions['users']!.map(({ name, tags }) => [name, tags])).toEqual([['c', []], ['r', []], ['checkout-acme', []], ['root', ['administrator']]]);
  });

  it('raise the delivery limit of input queues and of nothing else', () => {
    const [policy, ...others] = definitionsOf(services, { users: [] })['policies']!;
    expect(others).toEqual([]);
    expect(policy).toMatchObject({ 'apply-to': 'queues', definition: { 'delivery-limit': 100 } });
    const pattern = new RegExp(String(policy!['pattern']));
    expect(['cookie.in', 'device-registry.in', 'cookie.dlq', 'cookie.retry.5s', 'cookie.requests'].filter((name) => pattern.test(name))).toEqual(['cookie.in', 'device-registry.in']);
  });

  it('refuse a user of a service that does not exist', () => {
    expect(() => definitionsOf([registry].map((one) => ({ ...one, says: [] })), { users: [{ name: 'x', role: { kind: 'service', service: 'gateway' } }] })).toThrow('gateway');
  });
});

describe('the password hash', () => {
  it('is the one of RabbitMQ’s documentation', async () => {
    expect(await brokerPasswordHash('test12', Uint8Array.from([0x90, 0x8d, 0xc6, 0x0a]))).toBe('kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR');
  });

  it('is salted', async () => {
    expect(await brokerPasswordHash('same')).not.toBe(await brokerPasswordHash('same'));
  });
});
