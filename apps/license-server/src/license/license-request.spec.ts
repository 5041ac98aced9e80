import { licenseRequest } from '@latchkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { readLicenseRequest } from './license-request.js';

const hex = (index: number): string => index.toString(16).padStart(32, '0');
const b64 = (index: number): string => Buffer.from(hex(index), 'hex').toString('base64url');
const bytes = (body: object): Uint8Array => Buffer.from(JSON.stringify(body));
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

  it('names an unknown member only where nothing else is wrong', () => {
    const read = (body: object): unknown => readLicenseRequest(bytes(body), 'content');
    expect(read({ kids: [b64(1)], device: 'x' })).toEqual({ ok: false, reason: 'unknown-member' });
    expect(read({ kids: [b64(1)], device: 'x', type: 'x' })).toEqual({ ok: false, reason: 'type-unknown' });
  });
});
