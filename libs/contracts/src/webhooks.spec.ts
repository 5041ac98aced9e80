import { describe, expect, it } from '@jest/globals';
import { merchantEventType, webhookEventTypes, webhookUrl } from './index.js';

describe('the URL of a webhook', () => {
  it.each([
    'https://shop.example', 'https://shop.example?x=1', 'http://localhost:9000/a?b=c@d', 'https://shop.example:80/', 'https://shop.example:65535/', `https://shop.example/${'x'.repeat(2_027)}`,
  ])('is taken: %s', (text) => {
    expect(webhookUrl.safeParse(text).success).toBe(true);
  });

  it.each([
    '', 'shop.example', '/hook', 'ftp://shop.example/', 'HTTPS://shop.example/', 'https:shop.example', 'https:///shop.example', 'https://user@shop.example/', `https://user:${'pw'}@shop.example/`, 'https://@shop.example/',
    'https://shop.example/#a', 'https://shop.example/#', 'https:\\\\shop.example', 'https://shop.example\\@evil.example/', 'https://shop.example/a b', 'https://shop.example/\n', 'https://sh\top.example/', 'https://shöp.example/',
    'https://shop.example:22/', 'https://shop.example:0/', 'https://shop.example:1023/', 'https://shop.example:65536/', 'https://shop.example:x/', 'https://256.1.1.1/', 'https://[::1/', 'https://[fe80::1%25eth0]/', `https://shop.example/${'x'.repeat(2_028)}`,
  ])('is refused: %s', (text) => {
    expect(webhookUrl.safeParse(text).success).toBe(false);
  });

  it('is text', () => {
    for (const value of [undefined, null, 1, {}, ['https://shop.example/']]) expect(webhookUrl.safeParse(value).success).toBe(false);
  });
});

describe('the event types of a webhook', () => {
  it.each([[['token.issued.v1']], [merchantEventType.options]])('are taken: %j', (types) => {
    expect(webhookEventTypes.safeParse(types).success).toBe(true);
  });

  it.each([[[]], [['token.issued.v1', 'token.issued.v1']], [['cookie.issued.v1']], [['signing-key.published.v1']], [['TokenIssued']], [['*']], ['token.issued.v1']])('are refused: %j', (types) => {
    expect(webhookEventTypes.safeParse(types).success).toBe(false);
  });
});
