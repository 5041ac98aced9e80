import { describe, expect, it } from '@jest/globals';
import { add, change, feedRow, goodRun, type MadeUpRun, ok } from './made-up-run.js';
import { checkWebhooksDelivered } from './webhooks-delivered.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkWebhooksDelivered(history, final).broken.map(({ what }) => what);
const { webhook } = goodRun().final;
const again = (atMs: number): MadeUpRun => change(goodRun(), { webhook: { received: [...webhook.received, { deliveryId: 'msg_1', atMs }] } });

describe('I10, every event reaches the webhook', () => {
  it('holds for the good run, and says what it tried', () => {
    const { history, final } = goodRun();
    expect(checkWebhooksDelivered(history, final)).toEqual({ invariant: 'I10', tried: { events: 4, receipts: 4 }, broken: [] });
  });

  it.each([
    ['an event has no delivery', { deliveries: webhook.deliveries.slice(1), received: webhook.received.slice(1) }],
    ['a delivery was not received, though it counts as delivered', { received: webhook.received.slice(1) }],
    ['a delivery is given up', { deliveries: webhook.deliveries.map((one) => ({ ...one, state: one.sequence === 2 ? 'failed' : one.state })) }],
    ['a delivery is received that there is none of', { received: [...webhook.received, { deliveryId: 'msg_9', atMs: 4_000 }] }],
  ])('breaks when %s', (_what, part) => {
    expect(breachesOf(change(goodRun(), { webhook: part }))).toHaveLength(1);
  });

  it('asks nothing for events of another merchant', () => {
    const foreign = feedRow(5, 'token.issued.v1', { merchantId: 'upstream', tokenId: 't9' });
    expect(breachesOf(change(goodRun(), { feed: [...goodRun().final.feed, foreign] }))).toEqual([]);
  });

  it('lets a delivery come twice only with a fault in between', () => {
    expect(breachesOf(again(9_000))).toEqual([expect.stringContaining('received again')]);
    const around = again(9_000);
    add(around, 8_000, { type: 'fault', name: 'kill-service' }, ok({ struck: 1 }), 5_000);
    expect(breachesOf(around)).toEqual([]);
    const after = again(9_000);
    add(after, 9_001, { type: 'fault', name: 'kill-service' }, ok({ struck: 1 }), 5_000);
    expect(breachesOf(after)).toHaveLength(1);
  });
});
