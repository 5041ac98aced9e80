import { describe, expect, it } from '@jest/globals';
import { type Credentials, type DeviceRequest, readCredentials } from './credentials.js';

const read = (headers: DeviceRequest['headers']): Credentials => readCredentials({ headers, query: {} });
const good = { authorization: ['DPoP a.b.c'], dpop: ['x.y.z'] };

describe('readCredentials', () => {
  it('takes one token of the scheme DPoP and one proof', () => {
    expect(read(good)).toEqual({ ok: true, token: 'a.b.c', proof: 'x.y.z' });
  });

  it.each(['dpop a.b.c', 'DPOP a.b.c', 'DPoP  a.b.c'])('takes %j too', (authorization) => {
    expect(read({ ...good, authorization: [authorization] })).toMatchObject({ ok: true, token: 'a.b.c' });
  });

  it('leaves a proof that is missing or empty to the next check', () => {
    expect(read({ authorization: good.authorization })).toMatchObject({ ok: true, proof: '' });
    expect(read({ ...good, dpop: [''] })).toMatchObject({ ok: true, proof: '' });
  });

  it.each<[string, DeviceRequest['headers'], string]>([
    ['no header', {}, 'no-credentials'],
    ['an empty header', { authorization: [''] }, 'no-credentials'],
    ['a proof alone', { dpop: good.dpop }, 'no-credentials'],
    ['another scheme', { ...good, authorization: ['Basic a.b.c'] }, 'other-scheme'],
    ['another scheme without credentials', { ...good, authorization: ['Basic'] }, 'other-scheme'],
    ['a scheme that only begins alike', { ...good, authorization: ['DPoPx a.b.c'] }, 'other-scheme'],
    ['a bearer', { ...good, authorization: ['Bearer a.b.c'] }, 'bearer-scheme'],
    ['a bearer without a token', { ...good, authorization: ['Bearer'] }, 'credentials-malformed'],
    ['the scheme alone', { ...good, authorization: ['DPoP'] }, 'credentials-malformed'],
    ['no scheme', { ...good, authorization: [' a.b.c'] }, 'credentials-malformed'],
    ['two tokens with a space', { ...good, authorization: ['DPoP a.b.c d.e.f'] }, 'credentials-malformed'],
    ['two tokens with a comma', { ...good, authorization: ['DPoP a.b.c, DPoP d.e.f'] }, 'credentials-malformed'],
    ['two headers', { ...good, authorization: ['DPoP a.b.c', 'DPoP a.b.c'] }, 'credentials-repeated'],
    ['two headers of which one is empty', { ...good, authorization: ['', 'DPoP a.b.c'] }, 'credentials-repeated'],
    ['two proofs', { ...good, dpop: ['x.y.z', 'x.y.z'] }, 'proof-repeated'],
    ['two proofs with a comma', { ...good, dpop: ['x.y.z,x.y.z'] }, 'proof-repeated'],
  ])('refuses %s', (_, headers, reason) => {
    expect(read(headers)).toEqual({ ok: false, reason });
  });

  it('refuses a second token in the query, and takes one there for no token at all', () => {
    const query = { access_token: 'a.b.c' };
    expect(readCredentials({ headers: good, query })).toEqual({ ok: false, reason: 'credentials-repeated' });
    expect(readCredentials({ headers: {}, query })).toEqual({ ok: false, reason: 'no-credentials' });
  });
});
