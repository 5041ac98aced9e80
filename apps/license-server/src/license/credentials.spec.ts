import { describe, expect, it } from '@jest/globals';
import { type Credentials, type DeviceRequest, readCredentials } from './credentials.js';

const read = (headers: DeviceRequest['headers'], query: object = {}): Credentials => readCredentials({ headers, query });
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

  it.each<[string, DeviceRequest['headers'], object, string]>([
    ['no headers', {}, {}, 'no-credentials'],
    ['a proof alone', { dpop: good.dpop }, {}, 'no-credentials'],
    ['an empty Authorization', { ...good, authorization: [''] }, {}, 'no-credentials'],
    ['a token in the query alone', { dpop: good.dpop }, { access_token: 'a.b.c' }, 'no-credentials'],
    ['a token in the query too', good, { access_token: 'a.b.c' }, 'credentials-repeated'],
    ['two Authorization headers', { ...good, authorization: ['DPoP a.b.c', 'DPoP a.b.c'] }, {}, 'credentials-repeated'],
    ['two kinds of Authorization', { ...good, authorization: ['Basic eA==', 'DPoP a.b.c'] }, {}, 'credentials-repeated'],
    ['two credentials joined by a comma', { ...good, authorization: ['DPoP a.b.c, DPoP a.b.c'] }, {}, 'credentials-malformed'],
    ['a bearer and another joined', { ...good, authorization: ['Bearer a.b.c, DPoP a.b.c'] }, {}, 'credentials-malformed'],
    ['two proofs', { ...good, dpop: ['x.y.z', 'x.y.z'] }, {}, 'proof-repeated'],
    ['two proofs joined by a comma', { ...good, dpop: ['x.y.z, x.y.z'] }, {}, 'proof-repeated'],
    ['a scheme without a token', { ...good, authorization: ['DPoP'] }, {}, 'credentials-malformed'],
    ['a scheme and spaces', { ...good, authorization: ['DPoP   '] }, {}, 'credentials-malformed'],
    ['two tokens', { ...good, authorization: ['DPoP a.b.c d'] }, {}, 'credentials-malformed'],
    ['a tab', { ...good, authorization: ['DPoP\ta.b.c'] }, {}, 'credentials-malformed'],
    ['parameters', { ...good, authorization: ['DPoP token="a"'] }, {}, 'credentials-malformed'],
    ['what is no scheme', { ...good, authorization: ['"DPoP" a.b.c'] }, {}, 'credentials-malformed'],
    ['a bearer', { ...good, authorization: ['Bearer a.b.c'] }, {}, 'bearer-scheme'],
    ['a bearer in capitals', { ...good, authorization: ['BEARER a.b.c'] }, {}, 'bearer-scheme'],
    ['another scheme', { ...good, authorization: ['Basic eA=='] }, {}, 'other-scheme'],
  ])('refuses %s', (_, headers, query, reason) => {
    expect(read(headers, query)).toEqual({ ok: false, reason });
  });
});
