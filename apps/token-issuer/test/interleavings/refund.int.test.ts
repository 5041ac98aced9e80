import { parseSchedule, type Scenario } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { completed, refunded, registered, terms } from '../issuer.js';
import { judgePurchase } from './judge-issuer.js';
import { type QuietIssuer, startQuietIssuer } from './quiet-issuer.js';

let quiet: QuietIssuer;
let kid: string;

beforeAll(async () => {
  quiet = await startQuietIssuer();
  kid = await quiet.issuer.kid();
});

afterAll(() => quiet.stop());

const refundBesideItsPurchase: Scenario = {
  name: 'a refund beside its purchase and the registration of its device',
  prepare: async () => {
    const { issuer } = quiet;
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    const binding = issuer.neighbours.bind(purchase.cookie);
    return {
      work: {
        refund: () => issuer.hear(refunded(purchase)),
        purchase: () => issuer.hear(completed(purchase)),
        registration: () => issuer.hear(registered(binding)),
      },
      judge: () => judgePurchase(issuer, { ...purchase, refunded: true, mustEnd: true }),
    };
  },
};

it('is not lost when the registration resolves the purchase that the refund saw only at its second look', async () => {
  // This order lost it: the refund had locked no join, and the end of the waiting overwrote it.
  const schedule = parseSchedule('refund*5 purchase*11 registration*11 refund*6 registration*4');
  const { broken } = await quiet.explorer.replay(refundBesideItsPurchase, schedule);
  expect(broken?.report).toBeUndefined();
});
