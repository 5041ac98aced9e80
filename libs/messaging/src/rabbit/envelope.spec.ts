import { describe, expect, it } from '@jest/globals';
import type { Message } from 'amqplib';
import { type OutgoingMessage, type Reader, redrivenMessage, toQuarantined, toRawMessage, verdictMessage } from './envelope.js';

const reader: Reader = { service: 'token-issuer', user: 'token-issuer', deathsAreTrue: true };
const policy = { ladder: [{ name: '5s', delayMs: 5_000 }, { name: '30s', delayMs: 30_000 }], attemptsMax: 4 };
const retry = { kind: 'retry', reason: 'not yet' } as const;

interface Parts {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly headers?: Record<string, unknown>;
  readonly userId?: string;
  readonly expiration?: string;
}

function message({ exchange = 'latchkey.events', routingKey = 'purchase.completed.v1', headers = {}, ...properties }: Parts = {}): Message {
  return {
    content: Buffer.from('{}'),
    fields: { deliveryTag: 1, redelivered: false, exchange, routingKey },
    properties: { contentType: 'application/json', messageId: 'm-1', headers, ...properties } as Message['properties'],
  };
}

/** What the broker hands out of a published message: from `in` by a rung or a redrive, or from quarantine. */
function arrived({ exchange, routingKey, properties }: OutgoingMessage): Message {
  const headers = properties.headers as Record<string, unknown>;
  return message({ exchange, routingKey: routingKey === 'dlq' ? 'dlq' : 'in', headers, userId: properties.userId });
}

/** What the broker makes of a message that it moves from `in` to quarantine. */
function movedByBroker(original: Message, reason: string, from = 'token-issuer.in'): Message {
  const { exchange, routingKey } = original.fields;
  const death = { queue: from, reason, count: 1, exchange, 'routing-keys': [routingKey], time: { '!': 'timestamp', value: 1_795_000_000 } };
  const headers = { ...original.properties.headers, 'x-death': [death] };
  const properties = { ...original.properties, headers } as Message['properties'];
  return { ...original, fields: { ...original.fields, exchange: 'token-issuer.retry', routingKey: 'dlq' }, properties };
}

describe('a message from outside', () => {
  it('is a first attempt of who the broker says it is from, whatever its headers say', () => {
    const forged = { 'latchkey-attempt': 19, 'latchkey-publisher': 'checkout-other', 'latchkey-routing-key': 'device.registered.v1', 'latchkey-exchange': 'x' };
    expect(toRawMessage(message({ headers: forged, userId: 'checkout-acme' }), reader)).toMatchObject({
      attempt: 1,
      publisher: 'checkout-acme',
      exchange: 'latchkey.events',
      routingKey: 'purchase.completed.v1',
    });
    expect(toRawMessage(message({ headers: forged }), reader).publisher).toBeUndefined();
  });

  it('is not believed because it came through another service’s retry exchange', () => {
    const other = message({ exchange: 'cookie.retry', headers: { 'latchkey-attempt': 3, 'latchkey-publisher': 'checkout-other' } });
    expect(toRawMessage(other, reader)).toMatchObject({ attempt: 1, publisher: undefined, exchange: 'cookie.retry' });
  });
});

describe('a retry', () => {
  it('goes up the ladder, stays on the last rung, and ends in quarantine', () => {
    const ways: string[] = [];
    let current = message();
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      expect(toRawMessage(current, reader).attempt).toBe(attempt);
      const next = verdictMessage(current, retry, reader, policy);
      ways.push(next.routingKey);
      current = arrived(next);
    }
    expect(ways).toEqual(['5s', '30s', '30s', 'dlq']);
  });

  it('keeps where it came from and who sent it, and loses what forgers and the broker added', () => {
    const headers = {
      cloudEvents_id: 'e-1',
      'x-mine': { nested: [1] },
      'latchkey-attempt': 9,
      'latchkey-anything': 'x',
      'x-death': [{ queue: 'q' }],
      'x-first-death-queue': 'q',
      'x-delivery-count': 3,
      CC: ['in'],
      BCC: ['in'],
    };
    const next = verdictMessage(message({ headers, userId: 'checkout-acme', expiration: '5' }), retry, reader, policy);
    expect(next).toMatchObject({ exchange: 'token-issuer.retry', routingKey: '5s', body: Buffer.from('{}') });
    expect(next.properties).toMatchObject({ messageId: 'm-1', contentType: 'application/json', userId: 'token-issuer' });
    expect(next.properties.expiration).toBeUndefined();
    expect(next.properties.headers).toEqual({
      cloudEvents_id: 'e-1',
      'x-mine': { nested: [1] },
      'latchkey-attempt': 2,
      'latchkey-publisher': 'checkout-acme',
      'latchkey-exchange': 'latchkey.events',
      'latchkey-routing-key': 'purchase.completed.v1',
      'latchkey-reason': 'not yet',
    });
    const third = verdictMessage(arrived(next), retry, reader, policy);
    expect(toRawMessage(arrived(third), reader)).toMatchObject({
      attempt: 3,
      publisher: 'checkout-acme',
      exchange: 'latchkey.events',
      routingKey: 'purchase.completed.v1',
    });
  });
});

describe('a message in quarantine', () => {
  const poison = arrived(verdictMessage(message({ userId: 'checkout-acme' }), { kind: 'quarantine', reason: 'poison' }, reader, policy));

  it('shows its reason, and when', async () => {
    expect(await toQuarantined(poison, reader)).toEqual({
      id: 'm-1',
      type: 'purchase.completed.v1',
      reason: 'poison',
      attempt: 1,
      quarantinedAt: expect.any(String),
    });
  });

  it('is redriven as a first attempt of its first publisher, by an operator under another name too', () => {
    const redriven = arrived(redrivenMessage(poison, { ...reader, user: 'operator' }));
    expect(toRawMessage(redriven, reader)).toMatchObject({ attempt: 1, publisher: 'checkout-acme', routingKey: 'purchase.completed.v1' });
    expect(redriven.properties.headers).not.toHaveProperty('latchkey-reason');
  });

  it('has a stable id where its publisher gave it none', async () => {
    const nameless = { ...message(), properties: { headers: {} } as Message['properties'] };
    expect((await toQuarantined(nameless, reader)).id).toBe('body-44136fa355b3678a');
    expect((await toQuarantined(message({ headers: { cloudEvents_id: 'e-1' } }), reader)).id).toBe('m-1');
  });
});

describe('a message that the broker itself put into quarantine', () => {
  const forged = { 'latchkey-publisher': 'checkout-other', 'latchkey-attempt': 3, 'latchkey-reason': 'a lie', 'latchkey-routing-key': 'device.registered.v1' };

  it('is redriven as what its publisher was entitled to send, whatever its headers say', async () => {
    for (const userId of ['checkout-acme', undefined]) {
      const moved = movedByBroker(message({ headers: forged, userId }), 'delivery_limit');
      const redriven = toRawMessage(arrived(redrivenMessage(moved, reader)), reader);
      expect(redriven).toMatchObject({ attempt: 1, publisher: userId, exchange: 'latchkey.events', routingKey: 'purchase.completed.v1' });
      expect((await toQuarantined(moved, reader)).reason).not.toContain('lie');
    }
  });

  it('keeps its history when it had been retried before', () => {
    const retried = arrived(verdictMessage(message({ userId: 'checkout-acme' }), retry, reader, policy));
    const redriven = redrivenMessage(movedByBroker(retried, 'delivery_limit'), reader);
    expect(toRawMessage(arrived(redriven), reader)).toMatchObject({ publisher: 'checkout-acme', routingKey: 'purchase.completed.v1' });
  });

  it('is of unknown origin where a publisher could have made up its x-death', () => {
    const moved = movedByBroker(message({ userId: 'checkout-acme' }), 'delivery_limit');
    const redriven = redrivenMessage(moved, { ...reader, deathsAreTrue: false });
    expect(toRawMessage(arrived(redriven), reader)).toMatchObject({ exchange: '', routingKey: '', publisher: 'checkout-acme' });
  });

  it('says why', async () => {
    const reasons: string[] = [];
    for (const reason of ['rejected', 'expired', 'delivery_limit']) reasons.push((await toQuarantined(movedByBroker(message(), reason), reader)).reason);
    expect(reasons).toEqual([expect.stringContaining('larger'), expect.stringContaining('expired'), expect.stringContaining('too often')]);
    expect((await toQuarantined(movedByBroker(message(), 'expired'), reader)).quarantinedAt).toBe(new Date(1_795_000_000_000).toISOString());
  });
});
