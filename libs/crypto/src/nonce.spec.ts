import { describe, expect, it } from '@jest/globals';
import { createNonces } from './nonce.js';

const NOW = 1_800_000_000;
const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);

describe('createNonces', () => {
  const nonces = createNonces({ secrets: [NEW, OLD] });
  const nonce = nonces.issue(NOW);

  it('makes nonces that a header may carry', () => {
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{30}$/);
  });

  it('honours a nonce again and again for five minutes, and then no more', () => {
    for (const age of [0, 0, 1, 299, 299.9]) expect(nonces.isFresh(nonce, NOW + age)).toBe(true);
    for (const age of [300, 301, 86_400]) expect(nonces.isFresh(nonce, NOW + age)).toBe(false);
  });

  it('takes the lifetime from the caller', () => {
    const brief = createNonces({ secrets: [NEW], lifetimeSeconds: 10 });
    expect(brief.isFresh(nonce, NOW + 9)).toBe(true);
    expect(brief.isFresh(nonce, NOW + 10)).toBe(false);
  });

  it("forgives another replica's clock a few seconds, and no more", () => {
    expect(nonces.isFresh(nonce, NOW - 5)).toBe(true);
    expect(nonces.isFresh(nonce, NOW - 6)).toBe(false);
  });

  it('makes a new nonce each second', () => {
    expect(nonces.issue(NOW + 0.9)).toBe(nonce);
    expect(nonces.issue(NOW + 1)).not.toBe(nonce);
    expect(nonces.isFresh(nonces.issue(NOW + 1), NOW + 1)).toBe(true);
  });

  it('is shared by replicas with the same secrets', () => {
    expect(createNonces({ secrets: [NEW, OLD] }).isFresh(nonce, NOW)).toBe(true);
  });

  it('lets a secret be replaced: the first makes, all verify', () => {
    const before = createNonces({ secrets: [OLD] });
    expect(nonces.isFresh(before.issue(NOW), NOW)).toBe(true);
    expect(before.isFresh(nonce, NOW)).toBe(false);
  });

  it('refuses a nonce with any one character changed, and texts that never were nonces', () => {
    for (let index = 0; index < nonce.length; index += 1) {
      const changed = nonce.slice(0, index) + (nonce[index] === 'A' ? 'B' : 'A') + nonce.slice(index + 1);
      expect(nonces.isFresh(changed, NOW)).toBe(false);
    }
    const others = ['', 'x', `${nonce}A`, `${nonce}=`, nonce.slice(1), ` ${nonce}`, '.'.repeat(30), 'ń'.repeat(30)];
    for (const text of others) {
      expect(nonces.isFresh(text, NOW)).toBe(false);
    }
  });

  it('does not start without a secret of 32 bytes', () => {
    expect(() => createNonces({ secrets: [] })).toThrow(RangeError);
    expect(() => createNonces({ secrets: [NEW, Buffer.alloc(31)] })).toThrow(RangeError);
  });
});
