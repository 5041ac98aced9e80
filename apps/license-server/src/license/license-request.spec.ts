import { licenseRequest } from '@latchkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { type LicenseRequestRefusal, readLicenseRequest } from './license-request.js';

const hex = (index: number): string => index.toString(16).padStart(32, '0');
const b64 = (index: number): string => Buffer.from(hex(index), 'hex').toString('base64url');
const bytes = (body: unknown): Uint8Array => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => b64(index));

describe('readLicenseRequest', () => {
  it('reads the kids as hex, in the order asked', () => {
    expect(readLicenseRequest(bytes({ kids: [b64(2), b64(1)], type: 'temporary' }), 'content')).toEqual({ ok: true, kids: [hex(2), hex(1)] });
  });

  it('takes 32 kids, and a missing type as temporary', () => {
    const body = { kids: many(32) };
    expect(readLicenseRequest(bytes(body), 'content')).toMatchObject({ ok: true });
    expect(licenseRequest.safeParse(body).success).toBe(true);
  });

  it.each([undefined, new Uint8Array()])('takes an empty body with a registration token alone', (body) => {
    expect(readLicenseRequest(body, 'registration')).toEqual({ ok: true, kids: [] });
    expect(readLicenseRequest(body, 'content')).toEqual({ ok: false, reason: 'empty' });
  });

  it.each<[string, unknown, LicenseRequestRefusal]>([
    ['what is not JSON', '{"kids":', 'not-json'],
    ['white space', ' ', 'not-json'],
    ['a byte order mark', `\ufeff{"kids":["${b64(1)}"]}`, 'not-json'],
    ['kids twice', `{"kids":["${b64(1)}"],"kids":["${b64(1)}"]}`, 'not-json'],
    ['type twice', `{"kids":["${b64(1)}"],"type":"temporary","type":"temporary"}`, 'not-json'],
    ['deep nesting', '['.repeat(20) + ']'.repeat(20), 'not-json'],
    ['null', null, 'not-object'],
    ['an array', [b64(1)], 'not-object'],
    ['a string', '"kids"', 'not-object'],
    ['no kids', {}, 'kids-form'],
    ['no kids but a type', { type: 'temporary' }, 'kids-form'],
    ['null for kids', { kids: null }, 'kids-form'],
    ['a string for kids', { kids: b64(1) }, 'kids-form'],
    ['empty kids', { kids: [] }, 'kids-count'],
    ['33 kids', { kids: many(33) }, 'kids-count'],
    ['a padded kid', { kids: [`${b64(1)}==`] }, 'kid-form'],
    ['a kid of 15 bytes', { kids: [Buffer.alloc(15).toString('base64url')] }, 'kid-form'],
    ['a kid of 17 bytes', { kids: [Buffer.alloc(17).toString('base64url')] }, 'kid-form'],
    ['a kid in hex', { kids: [hex(1)] }, 'kid-form'],
    ['a kid with left-over bits', { kids: [`${b64(1).slice(0, -1)}R`] }, 'kid-form'],
    ['a kid in plain base64', { kids: [Buffer.alloc(16, 0xff).toString('base64').slice(0, 22)] }, 'kid-form'],
    ['a number as kid', { kids: [b64(1), 1] }, 'kid-form'],
    ['null as kid', { kids: [null] }, 'kid-form'],
    ['a kid twice', { kids: [b64(1), b64(2), b64(1)] }, 'kids-repeated'],
    ['a persistent licence', { kids: [b64(1)], type: 'persistent-license' }, 'type-unknown'],
    ['null for type', { kids: [b64(1)], type: null }, 'type-unknown'],
    ['an unknown member', { kids: [b64(1)], device: 'x' }, 'unknown-member'],
    ['an unknown member called __proto__', `{"kids":["${b64(1)}"],"__proto__":{}}`, 'unknown-member'],
    ['an unknown member and a bad type', { kids: [b64(1)], device: 'x', type: 'x' }, 'type-unknown'],
  ])('refuses %s', (_, body, reason) => {
    expect(readLicenseRequest(bytes(body), 'content')).toEqual({ ok: false, reason });
    expect(readLicenseRequest(bytes(body), 'registration')).toEqual({ ok: false, reason });
  });
});
