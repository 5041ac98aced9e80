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
});
