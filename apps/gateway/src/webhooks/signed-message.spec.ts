import { describe, expect, it } from '@jest/globals';
import { TokenIssued } from '@latchkey/contracts';
import { newWebhookSecret } from '@latchkey/crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { bodyOf, signedHeaders } from './signed-message.js';

const message = { deliveryId: 'msg_1', type: TokenIssued.type, occurredAt: '2026-11-24T12:00:00.000Z', data: JSON.stringify(TokenIssued.example) };
const now = new Date();

describe('the body', () => {
  it('has the members that the scheme recommends', () => {
    expect(JSON.parse(bodyOf(message))).toEqual({ type: 'token.issued.v1', timestamp: '2026-11-24T12:00:00.000Z', data: TokenIssued.example });
  });

  it('carries whatever a checkout wrote', () => {
    const data = { reason: 'a\u0000b \ud800 "c"\n' };
    expect(JSON.parse(bodyOf({ ...message, data: JSON.stringify(data) }))).toMatchObject({ data });
  });
});

describe('the signature', () => {
  const [secret, previous, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const body = bodyOf(message);
  const headers = signedHeaders('msg_1', body, [secret, previous], now);

  it('is taken by who knows one of the secrets, and by nobody else', () => {
    for (const known of [secret, previous]) expect(new Webhook(known).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(other).verify(body, headers)).toThrow(WebhookVerificationError);
  });

  it('is of the scheme’s published example', () => {
    // The vector of the specification's own libraries.
    const signed = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], new Date(1_614_265_330_000));
    expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(signed['webhook-timestamp']).toBe('1614265330');
  });

  it('holds for nothing that was altered', () => {
    const verify = (alteredBody: string, altered: Record<string, string>) => () => new Webhook(secret).verify(alteredBody, { ...headers, ...altered });
    expect(verify(body, {})).not.toThrow();
    expect(verify(body.replace('alice', 'mallory') + ' ', {})).toThrow(WebhookVerificationError);
    expect(verify(body, { 'webhook-id': 'msg_2' })).toThrow(WebhookVerificationError);
    expect(verify(body, { 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) })).toThrow(WebhookVerificationError);
    expect(verify(body, { 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 600) })).toThrow('too old');
  });
});
