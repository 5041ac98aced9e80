import { describe, expect, it } from '@jest/globals';
import { isOf, readEvents, shownEvent, type StreamedEvent } from './event-relay.js';

const text = 'retry: 2000\n\nid: 7\nevent: token.issued.v1\ndata: {"cookie":"mine","deviceId":"dé","kids":["00"]}\n\n: \n\n';
const ticket = { purchaseId: 'order-1', contentId: 'film', kind: 'buy', boughtAt: '2026-11-24T12:00:00.000Z' } as const;
const customer = { accountId: 'viewer-1', cookies: ['old', 'mine'], tickets: [ticket] };

async function* bytes(step: number): AsyncGenerator<Uint8Array> {
  const all = new TextEncoder().encode(text);
  for (let at = 0; at < all.length; at += step) yield all.subarray(at, at + step);
}

describe('the events that a customer sees', () => {
  it.each([1, 3, 1000])('are read whole however they are cut, here into pieces of %i bytes', async (step) => {
    const read: unknown[] = [];
    for await (const event of readEvents(bytes(step))) read.push(event);
    expect(read).toEqual([undefined, { id: '7', type: 'token.issued.v1', data: { cookie: 'mine', deviceId: 'dé', kids: ['00'] } }, undefined]);
  });

  it.each([
    ['by account', { accountId: 'viewer-1' }, true],
    ['by a cookie, also a former one', { cookie: 'old' }, true],
    ['by purchase', { purchaseId: 'order-1' }, true],
    ['and nobody else’s', { accountId: 'viewer-2', cookie: 'theirs', purchaseId: 'order-2' }, false],
    ['and nobody’s', {}, false],
  ])('are their own, %s', (_, data, expected) => expect(isOf(customer, { id: '1', type: 'x', data })).toBe(expected));

  it('hold no cookie of Latchkey', () => {
    const event: StreamedEvent = { id: '7', type: 'token.issued.v1', data: { cookie: 'mine', merchantId: 'default', deviceId: 'd', purchaseId: 'order-1' } };
    expect(shownEvent(event)).toBe('id: 7\ndata: {"type":"token.issued.v1","deviceId":"d","purchaseId":"order-1"}\n\n');
  });
});
