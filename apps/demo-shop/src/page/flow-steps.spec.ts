import { describe, expect, it } from '@jest/globals';
import { stepOf } from './flow-steps.js';

const step = (event: object) => stepOf({ type: '', deviceId: 'q8ZrXXXXXXXXXXXXT1sA', contentId: 'film', ...event }, (id) => `“${id}”`);

describe('the way of an event', () => {
  it.each([
    ['device.registered.v1', 'device', 'registry', 'q8Zr…T1sA proved its key and is registered'],
    ['purchase.completed.v1', 'shop', 'issuer', '“film” was paid for'],
    ['token.issued.v1', 'issuer', 'device', 'a token for “film”, good on q8Zr…T1sA alone'],
    ['license.granted.v1', 'licence server', 'device', 'q8Zr…T1sA got its licence'],
    ['license.denied.v1', 'licence server', 'device', 'q8Zr…T1sA was refused: no reason given'],
    ['purchase.refunded.v1', 'shop', 'issuer', 'a ticket was given back'],
    ['token.revoked.v1', 'issuer', 'licence server', 'a token stopped working: no reason given'],
    ['device.revoked.v1', 'registry', 'licence server', 'q8Zr…T1sA is revoked, for good'],
    ['purchase.rejected.v1', 'issuer', 'shop', 'a purchase was rejected: no reason given'],
  ])('%s goes from %s to %s', (type, from, to, words) => expect(step({ type })).toMatchObject({ from, to, words }));

  it('is not made up for an event that a later version tells of', () => expect(step({ type: 'moon.risen.v1' })).toBeUndefined());
});
