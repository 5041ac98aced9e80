import { createSecretKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { isWrappedContentKey, kekIdOf, KeyRing, parseKeyRing } from './key-ring.js';
import { encodeAssociatedData, seal } from './sealed-box.js';

const KEK_1 = Buffer.alloc(32, 1);
const KEK_2 = Buffer.alloc(32, 2);
const B64_1 = KEK_1.toString('base64');
const B64_2 = KEK_2.toString('base64');
const KID = '00112233445566778899aabbccddeeff';
const CONTENT_KEY = Buffer.from('ffeeddccbbaa99887766554433221100', 'hex');
const OWNER = { merchantId: 'm1', kid: KID };

function ring(text: string): KeyRing {
  const parsed = parseKeyRing(text);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.ring;
}

function flipBit(wrapped: string, byte: number): string {
  const [kekId = '', sealed = ''] = wrapped.split('.');
  const bytes = Buffer.from(sealed, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
  return `${kekId}.${bytes.toString('base64url')}`;
}

describe('parseKeyRing', () => {
  it.each([
    ['a bare value', B64_1, 'k1', ['k1']],
    ['a bare value with a line feed', `${B64_1}\n`, 'k1', ['k1']],
    ['a named value', `2026-11:${B64_1}`, '2026-11', ['2026-11']],
    ['two, the first primary', `k2:${B64_2},k1:${B64_1}`, 'k2', ['k1', 'k2']],
    ['a named and a bare one, with spaces', ` k2:${B64_2} , ${B64_1} `, 'k2', ['k1', 'k2']],
    ['an id of 10', `abcdefghij:${B64_1}`, 'abcdefghij', ['abcdefghij']],
  ])('reads %s', (_, text, primaryId, ids) => {
    const parsed = ring(text);
    expect(parsed.primaryId).toBe(primaryId);
    for (const id of ids) expect(parsed.has(id)).toBe(true);
    expect(parsed.has('k3')).toBe(false);
  });

  const short = KEK_1.subarray(1).toString('base64');
  it.each([
    ['nothing', '', B64_1, ['entry 1: its key is not base64']],
    ['a comma too many', `${B64_1},`, B64_1, [
      'entry 2: its id was used by an earlier entry',
      'entry 2: its key is not base64',
    ]],
    ['31 bytes', short, B64_1, ['entry 1: its key has 31 bytes instead of 32']],
    ['33 bytes', Buffer.alloc(33).toString('base64'), B64_1, ['entry 1: its key has 33 bytes instead of 32']],
    ['no padding', B64_1.slice(0, -1), B64_1, ['entry 1: its key is not base64']],
    ['unused bits', `${B64_1.slice(0, -2)}F=`, `${B64_1.slice(0, -2)}E=`, ['entry 1: its key is not base64']],
    ['hex', KEK_1.toString('hex'), B64_1, ['entry 1: its key has 48 bytes instead of 32']],
    ['base64url', Buffer.alloc(32, 255).toString('base64url'), Buffer.alloc(32, 255).toString('base64'), [
      'entry 1: its key is not base64',
    ]],
    ['no id before the colon', `:${B64_1}`, `k:${B64_1}`, [
      'entry 1: its id is not 1 to 10 characters of a-z, 0-9 and -',
    ]],
    ['an id in capitals', `K1:${B64_1}`, `k1:${B64_1}`, [
      'entry 1: its id is not 1 to 10 characters of a-z, 0-9 and -',
    ]],
    ['an id of 11', `abcdefghijk:${B64_1}`, `abcdefghij:${B64_1}`, [
      'entry 1: its id is not 1 to 10 characters of a-z, 0-9 and -',
    ]],
    ['the same id twice', `a:${B64_1},a:${B64_2}`, `a:${B64_1},b:${B64_2}`, [
      'entry 2: its id was used by an earlier entry',
    ]],
    ['two bare values', `${B64_1},${B64_2}`, `${B64_1},b:${B64_2}`, ['entry 2: its id was used by an earlier entry']],
    ['id and key exchanged', `${B64_1}:k1`, `k1:${B64_1}`, [
      'entry 1: its id is not 1 to 10 characters of a-z, 0-9 and -',
      'entry 1: its key is not base64',
    ]],
    ['a semicolon for a comma', `a:${B64_1};b:${B64_2}`, `a:${B64_1},b:${B64_2}`, ['entry 1: its key is not base64']],
  ])('refuses %s', (_, bad, twin, problems) => {
    expect(parseKeyRing(twin)).toMatchObject({ ok: true });
    expect(parseKeyRing(bad)).toEqual({ ok: false, problems });
  });

  it('lists every problem, and no secret among them', () => {
    const parsed = parseKeyRing(`${B64_1}:x,UPPER:${short},hunter2`);
    if (parsed.ok) throw new Error('parsed');
    expect(parsed.problems).toHaveLength(5);
    const text = parsed.problems.join();
    for (const secret of [B64_1, short, 'UPPER', 'hunter2']) expect(text).not.toContain(secret);
  });
});

describe('KeyRing', () => {
  const both = ring(`k2:${B64_2},k1:${B64_1}`);
  const first = ring(`k1:${B64_1}`);
  const wrapped = both.wrapContentKey({ ...OWNER, key: CONTENT_KEY });

  it('wraps under the primary KEK, each time otherwise, and unwraps', () => {
    expect(wrapped).toMatch(/^k2\.[A-Za-z0-9_-]{59}$/);
    expect(both.wrapContentKey({ ...OWNER, key: CONTENT_KEY })).not.toBe(wrapped);
    expect(kekIdOf(wrapped)).toBe('k2');
    expect(isWrappedContentKey(wrapped)).toBe(true);
    expect(both.unwrapContentKey({ ...OWNER, wrapped })).toEqual(CONTENT_KEY);
    expect(ring(`k2:${B64_2}`).unwrapContentKey({ ...OWNER, wrapped })).toEqual(CONTENT_KEY);
  });

  it('wraps 16 bytes and no other length', () => {
    for (const length of [0, 15, 17, 32]) {
      expect(() => both.wrapContentKey({ ...OWNER, key: Buffer.alloc(length) })).toThrow(RangeError);
    }
  });

  it.each([
    ['for another merchant', { merchantId: 'm2' }],
    ['for another kid', { kid: KID.replace('00', '01') }],
    ['with the boundary between merchant and kid moved', { merchantId: 'm10', kid: KID.slice(1) }],
    ['under a KEK id that is not in the ring', { wrapped: wrapped.replace('k2.', 'k3.') }],
    ['under the id of another KEK', { wrapped: wrapped.replace('k2.', 'k1.') }],
    ['without a KEK id', { wrapped: wrapped.slice(3) }],
    ['with padding', { wrapped: `${wrapped}=` }],
    ['a character shorter', { wrapped: wrapped.slice(0, -1) }],
    ['a character longer', { wrapped: `${wrapped}A` }],
    ['of nothing', { wrapped: '' }],
    ['of a dot', { wrapped: '.' }],
    ['of a KEK id only', { wrapped: 'k2.' }],
    ['that is a secret', { wrapped: both.wrapSecret('m1', CONTENT_KEY) }],
  ])('does not unwrap a content key %s', (_, change) => {
    expect(both.unwrapContentKey({ ...OWNER, wrapped })).toEqual(CONTENT_KEY);
    expect(both.unwrapContentKey({ ...OWNER, wrapped, ...change })).toBeUndefined();
    expect(both.rewrapContentKey({ ...OWNER, wrapped, ...change })).toBeUndefined();
  });

  it('does not unwrap with any one bit changed', () => {
    for (let byte = 0; byte < 44; byte += 1) {
      expect(both.unwrapContentKey({ ...OWNER, wrapped: flipBit(wrapped, byte) })).toBeUndefined();
    }
  });

  it('still unwraps what lies in databases: neither form nor labels may change', () => {
    const contentKey = 'k1.AJgTtEDIsfZ2xD0clA7m-5Qp6Blg1SektcR0qqIICpLBH-Wc_p1DzIKBuB0';
    const secret = 'k1.d8ZICpeku3BGsvwpK7potX_teWmPTZeiKkF4dPtZKCvPIg';
    expect(first.unwrapContentKey({ ...OWNER, wrapped: contentKey })).toEqual(CONTENT_KEY);
    expect(first.unwrapSecret('signing-key', secret)).toEqual(Buffer.from('secret'));
  });

  it('does not unwrap a content key of another length, well sealed though it is', () => {
    const associatedData = encodeAssociatedData('latchkey/content-key/v1', 'm1', KID);
    const sealed = (bytes: number): string =>
      `k1.${seal(createSecretKey(KEK_1), associatedData, Buffer.alloc(bytes)).toString('base64url')}`;
    expect(first.unwrapContentKey({ ...OWNER, wrapped: sealed(16) })).toEqual(Buffer.alloc(16));
    expect(first.unwrapContentKey({ ...OWNER, wrapped: sealed(15) })).toBeUndefined();
    expect(first.unwrapContentKey({ ...OWNER, wrapped: sealed(32) })).toBeUndefined();
  });

  it('moves a key to the primary KEK, once', () => {
    const old = first.wrapContentKey({ ...OWNER, key: CONTENT_KEY });
    const moved = both.rewrapContentKey({ ...OWNER, wrapped: old });
    if (moved === undefined) throw new Error('not moved');
    expect(kekIdOf(moved)).toBe('k2');
    expect(both.unwrapContentKey({ ...OWNER, wrapped: moved })).toEqual(CONTENT_KEY);
    expect(both.rewrapContentKey({ ...OWNER, wrapped: moved })).toBe(moved);
    expect(first.rewrapContentKey({ ...OWNER, wrapped: moved })).toBeUndefined();
  });

  it('wraps secrets of any length for one purpose', () => {
    for (const secret of [Buffer.alloc(0), CONTENT_KEY, randomBytes(138)]) {
      const sealed = both.wrapSecret('signing-key', secret);
      expect(kekIdOf(sealed)).toBe('k2');
      expect(both.unwrapSecret('signing-key', sealed)).toEqual(secret);
      expect(both.unwrapSecret('signing-keys', sealed)).toBeUndefined();
      expect(both.unwrapSecret('signing-key', flipBit(sealed, 12))).toBeUndefined();
      expect(first.unwrapSecret('signing-key', sealed)).toBeUndefined();
    }
    expect(both.unwrapSecret('m1', wrapped)).toBeUndefined();
    for (const text of ['', 'k2', 'k2.', 'k2.AAAA', '..']) expect(both.unwrapSecret('m1', text)).toBeUndefined();
  });

  it('derives a secret per KEK and purpose, in order, the same in every replica', () => {
    const secrets = both.deriveSecrets('nonce');
    expect(secrets.map((secret) => secret.length)).toEqual([32, 32]);
    expect(ring(`k2:${B64_2},k1:${B64_1}`).deriveSecrets('nonce')).toEqual(secrets);
    expect(first.deriveSecrets('nonce')).toEqual([secrets[1]]);
    expect(both.deriveSecrets('other')).not.toEqual(secrets);
    expect(secrets[0]).not.toEqual(KEK_2);
  });

  it('shows no key when printed or serialised', () => {
    const shown = inspect(both, { depth: 9, showHidden: true }) + JSON.stringify(both);
    for (const kek of [KEK_1, KEK_2]) {
      for (const form of ['hex', 'base64'] as const) expect(shown).not.toContain(kek.toString(form).slice(0, 12));
    }
    expect(shown).not.toContain('01 01 01');
  });

  it('is not made without keys, of bad ones, or with one id twice', () => {
    expect(() => new KeyRing([])).toThrow(RangeError);
    expect(() => new KeyRing([{ id: 'a', key: Buffer.alloc(31) }])).toThrow(RangeError);
    expect(() => new KeyRing([{ id: 'A', key: KEK_1 }])).toThrow(RangeError);
    expect(() => new KeyRing([{ id: 'a', key: KEK_1 }, { id: 'a', key: KEK_2 }])).toThrow(RangeError);
  });
});

describe('encodeAssociatedData', () => {
  it('gives different fields different bytes', () => {
    const fields = [
      ['l', 'ab', 'c'],
      ['l', 'a', 'bc'],
      ['la', 'b', 'c'],
      ['l', 'abc'],
      ['l', 'abc', ''],
      ['l', '', 'abc'],
    ];
    const encoded = fields.map(([label = '', ...rest]) => encodeAssociatedData(label, ...rest).toString('hex'));
    expect(new Set(encoded).size).toBe(fields.length);
  });
});
