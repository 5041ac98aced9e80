import type { ContentClaims } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { byAssertion, byProof, contentAdmission, refusalOf } from './admission.js';

const claims: ContentClaims = {
  iss: 'latchkey',
  aud: 'https://play.example/v1/licenses',
  iat: 1,
  exp: 2,
  jti: 't1',
  merchant: 'm1',
  cookie: 'c1',
  purchase: 'p1',
  content: 'film',
  kids: ['00', '01'],
  keys: [],
  rights: { type: 'purchase' },
};
const device = byProof({ ok: true, deviceId: 'd1', jti: 'j1', iatSeconds: 1 });
const at = new Date('2026-11-23T12:00:00Z');

describe('contentAdmission', () => {
  it('says what is told of the licence: the kids asked for, never a key', () => {
    expect(contentAdmission(claims, device, ['01'], at).event).toEqual({
      merchantId: 'm1',
      tokenId: 't1',
      cookie: 'c1',
      deviceId: 'd1',
      kids: ['01'],
      at: '2026-11-23T12:00:00.000Z',
    });
  });

  it('has no clock for a purchase, but may wait for its day', () => {
    const rights = { type: 'purchase', available_from: 5 } as const;
    expect(contentAdmission({ ...claims, rights }, device, [], at).rights).toEqual({ availableFromSeconds: 5 });
  });

  it('gives the play clock of a rental to its purchase, or to the token where there is none', () => {
    const rights = { type: 'rental', available_until: 9, play_duration: 3 } as const;
    const rental = contentAdmission({ ...claims, rights }, device, [], at).rights;
    expect(rental).toEqual({ availableFromSeconds: undefined, availableUntilSeconds: 9, playDurationSeconds: 3, playClock: 'purchase/p1' });
    expect(contentAdmission({ ...claims, rights, purchase: undefined }, device, [], at).rights.playClock).toBe('token/t1');
  });

  it('goes on with the clock of the token that a rental’s token names, whether or not a purchase has come since', () => {
    const rights = { type: 'rental', available_until: 9, play_duration: 3 } as const;
    for (const purchase of ['p1', undefined]) {
      expect(contentAdmission({ ...claims, rights, purchase, clock: 't0' }, device, [], at).rights.playClock).toBe('token/t0');
    }
  });
});

describe('a device', () => {
  it('is admitted by the proof that it made, or by its merchant’s word, which is no proof', () => {
    expect(device).toMatchObject({ deviceId: 'd1', proof: { jti: 'j1', iatSeconds: 1 } });
    expect(contentAdmission(claims, byAssertion('d2'), [], at)).toMatchObject({ deviceId: 'd2', proof: 'none', event: { deviceId: 'd2' } });
  });
});

describe('refusalOf', () => {
  it('grants what the database granted, and nothing else', () => {
    expect(refusalOf('granted')).toBeUndefined();
    expect(refusalOf('proof-used')).toEqual({ ok: false, stage: 'replay', reason: 'proof-used' });
    expect(refusalOf('revocations-stale')).toEqual({ ok: false, stage: 'unavailable', reason: 'revocations-stale' });
  });
});
