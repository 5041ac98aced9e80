import { describe, expect, it } from '@jest/globals';
import type { CheckoutOptions } from './checkout-options.js';
import { readOptions } from './read-options.js';

const url = 'amqp://checkout-acme:password@broker.example/vhost';

describe('options', () => {
  it('need no more than the address of a user by the convention', () => {
    expect(readOptions({ url })).toEqual({ url, merchantId: 'acme', source: '/checkout', user: 'checkout-acme', timeoutMs: 10_000, pendingMax: 1_000, tls: undefined });
  });

  it('name the merchant of a user by another name, and the user that an address does not name', () => {
    expect(readOptions({ url: 'amqps://shop:password@broker.example', merchantId: 'acme' })).toMatchObject({ user: 'shop', merchantId: 'acme' });
    expect(readOptions({ url: 'amqps://x:password@broker.example', user: 'checkout-acme' })).toMatchObject({ user: 'checkout-acme', merchantId: 'acme' });
    expect(readOptions({ url: 'amqp://broker.example', merchantId: 'acme' })).toMatchObject({ user: 'guest' });
    expect(readOptions({ url: 'amqp://checkout%2Dacme:password@broker.example' })).toMatchObject({ user: 'checkout-acme' });
  });

  it.each<[string, Partial<CheckoutOptions>, string]>([
    ['an address of the web', { url: 'https://checkout-acme:password@broker.example' }, 'url'],
    ['a user without a merchant', { url: 'amqp://shop:password@broker.example' }, 'merchantId'],
    ['a merchant that none can be', { merchantId: 'Acme' }, 'merchantId'],
    ['a user that is no text', { url: 'amqp://%ff:password@broker.example', merchantId: 'acme' }, 'url'],
    ['an empty source', { source: '' }, 'source'],
    ['a source over 255 bytes', { source: 'ü'.repeat(128) }, 'source'],
    ['no time at all', { timeoutMs: 0 }, 'timeoutMs'],
    ['more time than a timer has', { timeoutMs: 2 ** 31 }, 'timeoutMs'],
    ['half a publication', { pendingMax: 0.5 }, 'pendingMax'],
  ])('are refused with %s', (_, change, path) => {
    expect(() => readOptions({ url, ...change })).toThrow(expect.objectContaining({ code: 'invalid-options', problems: [expect.objectContaining({ path })] }));
  });

  it('are refused with everything that is wrong, and no part of the address', () => {
    const wrong = { url: 'not an address: a-password', source: '', timeoutMs: -1 };
    expect(() => readOptions(wrong)).toThrow(expect.objectContaining({ problems: ['url', 'url', 'source', 'merchantId', 'timeoutMs'].map((path) => expect.objectContaining({ path })) }));
    expect(() => readOptions(wrong)).not.toThrow(/a-password/);
  });
});
