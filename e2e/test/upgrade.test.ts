import { describe, expect, it, jest } from '@jest/globals';
import { describeWhere, hasDocker } from '@latchkey/kits';
import { add, change, goodRun, terms } from '../faults/checker/made-up-run.js';
import type { QuarantinedRow } from '../faults/final-state.js';
import { findPutAside } from '../upgrade/put-aside.js';
import { runUpgrade } from '../upgrade/run-upgrade.js';
import { previousRelease, whyNoPreviousRelease } from '../upgrade/take-previous-release.js';

// Thirty starts of a service one after the other, on a machine that may be busy.
jest.setTimeout(900_000);

const missing = await whyNoPreviousRelease();
const available = hasDocker() && missing === undefined;

describeWhere(available, missing ?? 'Docker', 'the previous release beside this one (short; npm run upgrade-suite does more)', () => {
  it('loses nothing while it is upgraded under load, and rolled back', async () => {
    const { lines, good } = await runUpgrade({ previous: await previousRelease(), seed: 20_261_130, actors: 3, calmMs: 1_000 });
    expect({ good, lines }).toEqual({ good: true, lines });
  });
});

describe('what may lie in quarantine after an upgrade', () => {
  const quarantined: QuarantinedRow = {
    queue: 'token-issuer.dlq',
    reason: 'the purchase is another one',
    messageId: 'm1',
    type: 'purchase.completed.v1',
    purchaseId: 'p1',
  };
  const putAside = (row: QuarantinedRow, conflicting: boolean): readonly string[] => {
    const run = change(goodRun(), { quarantined: [row] });
    if (conflicting) add(run, 5_000, { type: 'purchase', via: 'amqp', terms: { ...terms, contentId: 'another' } });
    return findPutAside(run.history, run.final);
  };

  it('is a purchase that was stated twice with other content, and nothing else', () => {
    expect(putAside(quarantined, true)).toEqual([]);
    expect(putAside(quarantined, false)).toHaveLength(1);
    expect(putAside({ ...quarantined, purchaseId: 'p2' }, true)).toHaveLength(1);
    expect(putAside({ ...quarantined, type: 'device.registered.v1' }, true)).toHaveLength(1);
    expect(putAside({ ...quarantined, type: null }, true)).toHaveLength(1);
  });
});
