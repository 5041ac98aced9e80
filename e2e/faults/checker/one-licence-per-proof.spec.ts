import { describe, expect, it } from '@jest/globals';
import { add, goodRun, license, type MadeUpRun, ok, refused, unknown } from './made-up-run.js';
import { checkOneLicencePerProof } from './one-licence-per-proof.js';

const breachesOf = ({ history }: MadeUpRun): string[] => checkOneLicencePerProof(history).broken.map(({ what }) => what);
const again = license({ proofId: 'first', replica: 1 });

describe('I9, a proof is worth one licence', () => {
  it('holds when everybody but one is refused, and says in which ways it was tried', () => {
    const run = goodRun();
    add(run, 3_105, license({ proofId: 'first' }), refused(401, 'invalid-dpop-proof'));
    add(run, 4_000, again, refused(401, 'invalid-dpop-proof'));
    expect(checkOneLicencePerProof(run.history)).toEqual({ invariant: 'I9', tried: { 'at once': 1, later: 1, 'across replicas': 1 }, broken: [] });
  });

  it('breaks when two get one: at once, later, at another replica, by another token', () => {
    for (const [atMs, operation] of [[3_105, again], [9_000, again], [9_000, license({ proofId: 'first' })], [9_000, license({ proofId: 'first', tokenId: 't2' })]] as const) {
      const run = goodRun();
      const entry = add(run, atMs, operation);
      expect(checkOneLicencePerProof(run.history).broken[0]?.entries).toContain(entry.index);
    }
  });

  it('breaks when a registration’s proof is worth a licence as well', () => {
    const run = goodRun();
    add(run, 4_000, license({ proofId: 'registration' }));
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('holds when the first has no answer and the second is given, and breaks when a third is', () => {
    const run = goodRun();
    add(run, 5_000, license({ proofId: 'second' }), unknown);
    add(run, 6_000, license({ proofId: 'second' }));
    expect(breachesOf(run)).toEqual([]);
    add(run, 7_000, license({ proofId: 'second' }));
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('takes the same `jti` of two devices for two proofs', () => {
    const run = goodRun();
    add(run, 5_000, license({ proofId: 'first', deviceId: 'd2' }));
    expect(breachesOf(run)).toEqual([]);
  });

  it('wants a proof that outlived a fault where there were faults', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'fault', name: 'license-server-killed' }, ok({ struck: 1 }), 2_000);
    expect(checkOneLicencePerProof(run.history).tried['over a fault']).toBe(0);
    add(run, 8_000, again, refused(401, 'invalid-dpop-proof'));
    expect(checkOneLicencePerProof(run.history).tried['over a fault']).toBe(1);
    add(run, 9_000, again);
    expect(breachesOf(run)).toHaveLength(1);
  });
});
