import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear } from './index.js';

describe('hear', () => {
  const subscription = hear(DeviceRegistered, ['merchantId', 'cookie']);

  it('checks the fields that the service uses', () => {
    expect(subscription.schema.safeParse({ merchantId: 'default', cookie: 'c' }).success).toBe(true);
    expect(subscription.schema.safeParse({ merchantId: 'default', cookie: 7 }).success).toBe(false);
    expect(subscription.schema.safeParse({ merchantId: 'default' }).success).toBe(false);
  });

  it('ignores every other field, however it looks', () => {
    const event = { merchantId: 'default', cookie: 'c', evidence: 'telepathy', registeredAt: 7, later: {} };
    expect(subscription.schema.parse(event)).toEqual({ merchantId: 'default', cookie: 'c' });
  });
});
