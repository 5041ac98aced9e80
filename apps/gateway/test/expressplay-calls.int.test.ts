import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DeviceRecord, type LicenseVerdict, Problem, requests } from '@latchkey/contracts';
import { GatewayUnderTest } from './gateway-under-test.js';

const gateway = new GatewayUnderTest({ LATCHKEY_PUBLIC_URL: 'https://latchkey.example', LATCHKEY_EXPRESSPLAY_BINDING: 'wv,pr' });
const { neighbours } = gateway;
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

const at = '2026-11-23T12:00:00.000Z';
const kid = '80ea8bc8a58f990ad1f76bc665b30bfa';
const kek = '000102030405060708090a0b0c0d0e0f';
const key = 'a9b9033df0b9ca5447839e3d074817a0';
const ek = '5dbd06c0056b42fe0b8cf406679620c31bd619732730433d';
const licenseUrl = 'https://latchkey.example/v1/licenses';
const storedKey = { kid, ek, kekId: 'mine', lastUpdate: at };

beforeEach(() => {
  neighbours.reset();
  neighbours.answer(requests.adoptCookie, ({ cookie }) => ({ cookie, accountId: 'cookie:62', state: 'pending' as const, expiresAt: at }));
  neighbours.answer(requests.issueRegistrationToken, () => ({ token: 'reg.is.tration', licenseUrl, expiresAt: at }));
  neighbours.answer(requests.issueCorrelatedToken, ({ deviceId }) => ({ token: 'con.te.nt', tokenId: 'tok_1', deviceId, licenseUrl, expiresAt: at }));
  neighbours.answer(requests.getStoredKeys, () => ({ keys: [storedKey] }));
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => gateway.call('GET', path, { headers });
const wv = 'securityLevel=1&hdcpOutputControl=0&kid=^kid1';
const named = (name: string) => neighbours.asked.filter((each) => each.name === name).map(({ input }) => input);

describe('token generation', () => {
  it.each([
    ['in the query', '&cookie=b', {}],
    ['in a header', '', { 'x-latchkey-cookie': 'b' }],
    ['in both', '&cookie=b', { 'x-latchkey-cookie': 'b' }],
  ])('answers a cookie %s with the dummy token, as a URL', async (_, query, headers) => {
    const response = await get(`/hms/wv/token?${wv}&contentKey=${key}${query}`, headers);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/uri-list',
      'https://latchkey.example/hms/wv/rights/?ExpressPlayToken=reg.is.tration',
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(neighbours.asked).toEqual([
      { name: 'cookie.adopt', input: { merchantId: 'default', cookie: 'b' } },
      { name: 'token-issuer.registration-token', input: { merchantId: 'default', cookie: 'b' } },
    ]);
  });

  it('takes no cookie of two', async () => {
    const response = await get(`/hms/wv/token?${wv}&contentKey=${key}&cookie=b&errorFormat=json`, { 'x-latchkey-cookie': 'c' });
    expect([response.status, await response.json(), neighbours.asked]).toEqual([400, expect.objectContaining({ errorCode: -2033, parameter: 'cookie' }), []]);
  });

  it.each([
    ['as it came', `contentKey=${key}`],
    ['unwrapped', `kek=${kek}&ek=${ek}`],
    ['out of the store', `kek=${kek}`],
  ])('sells a key %s to a device', async (_, keys) => {
    const response = await get(`/hms/wv/token?${wv}&${keys}&cookie=b&deviceid=device-1&licenseDuration=60&contentId=film`);
    expect(await response.text()).toBe('https://latchkey.example/hms/wv/rights/?ExpressPlayToken=con.te.nt');
    expect(named('token-issuer.correlated-token')).toEqual([
      { merchantId: 'default', cookie: 'b', deviceId: 'device-1', contentId: 'film', kid, key, rights: { type: 'rental', availableUntil: expect.any(String), playDurationSeconds: 60 }, ttlSeconds: 2_592_000 },
    ]);
    // A KEK goes to no service.
    expect(JSON.stringify(neighbours.asked)).not.toContain(kek);
  });

  it('answers PlayReady with JSON, and takes forms', async () => {
    const form = `kid=^kid1&contentKey=${key}&rightsType=BuyToOwn&cookie=b&deviceId=${'AB'.repeat(16)}&analogVideoOPL=0&expirationTime=+60`;
    const response = await gateway.call('POST', '/hms/pr/token', { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body: form });
    expect([response.status, await response.json()]).toEqual([200, { licenseAcquisitionUrl: 'https://latchkey.example/hms/pr/rights/', token: 'con.te.nt' }]);
    expect(named('token-issuer.correlated-token')).toEqual([expect.objectContaining({ contentId: `kid:${kid}`, rights: { type: 'purchase' }, ttlSeconds: 60 })]);
  });

  it.each([
    ['there is no such key', () => neighbours.answer(requests.getStoredKeys, () => ({ keys: [] })), -4019],
    ['another KEK wrapped it', () => neighbours.answer(requests.getStoredKeys, () => ({ keys: [{ ...storedKey, ek: `6${ek.slice(1)}` }] })), -4024],
    ['another device is bound', () => neighbours.refuse(requests.issueCorrelatedToken, new Problem('device-mismatch')), -5005],
    ['it is refunded', () => neighbours.refuse(requests.issueCorrelatedToken, new Problem('purchase-refunded')), -9412],
  ])('sells nothing where %s', async (_, prepare, code) => {
    prepare();
    const response = await get(`/hms/wv/token?${wv}&kek=${kek}&cookie=b&deviceId=device-1&errorFormat=json`);
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ errorCode: code })]);
  });
});

describe('redemption', () => {
  const granted: LicenseVerdict = { allow: true, tokenId: 'tok_1', kids: [kid], rights: { type: 'purchase' } };
  it.each(['/hms/pr/rights', '/hms/pr/rights/'])('asks our licence server: %s', async (path) => {
    neighbours.answer(requests.verifyLicense, () => granted);
    const question = { merchantId: 'default', token: 'a.b.c', deviceId: 'AB'.repeat(16), drm: 'playready' };
    const byQuery = await get(`${path}?ExpressPlayToken=a.b.c&deviceId=${question.deviceId}`);
    expect([byQuery.status, await byQuery.json()]).toEqual([200, { tokenId: 'tok_1', kids: [kid], rights: { type: 'purchase' } }]);
    const byHeader = await gateway.call('POST', path, { headers: { ExpressPlayToken: 'a.b.c', 'content-type': 'application/x-www-form-urlencoded' }, body: `deviceId=${question.deviceId}&kid=^kid1,${kid}&confidence=hardware` });
    expect(byHeader.status).toBe(200);
    expect(named('license-server.verify')).toEqual([question, { ...question, kids: [kid], confidence: 'hardware' }]);
  });

  it.each([
    ['invalid-token', -4010],
    ['device-mismatch', -5005],
    ['cookie-bound-elsewhere', -5005],
    ['device-revoked', -4001],
    ['kid-not-in-token', -4022],
    ['rental-expired', -9410],
    ['rental-not-started', -9411],
  ] as const)('is refused for %s', async (code, expected) => {
    neighbours.answer(requests.verifyLicense, (): LicenseVerdict => ({ allow: false, code }));
    const response = await get('/hms/wv/rights/?ExpressPlayToken=a.b.c&deviceId=d&errorFormat=json');
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ errorCode: expected })]);
  });

  it('takes no token of two', async () => {
    const response = await get('/hms/wv/rights/?ExpressPlayToken=a.b.c&deviceId=d&errorFormat=json', { expressplaytoken: 'd.e.f' });
    expect([await response.json(), neighbours.asked]).toEqual([expect.objectContaining({ errorCode: -4010 }), []]);
  });
});

describe('record retrieval', () => {
  const record = (cookie: string): DeviceRecord => ({ cookie, accountId: 'a', deviceId: 'device-1', evidence: 'asserted', confidence: 'hardware', state: 'active', registeredAt: at });
  const shown = (cookie: string) => ({ event_id: cookie, event_type: 'registration', event_time: at, cookie, device_id: 'device-1', device_state: 'active', confidence: 'hardware' });
  const records = async (query: string): Promise<unknown> => ((await (await get(`/cmiapi/getrecord/?${query}`)).json()) as { records: unknown }).records;

  it('shows the record of a cookie', async () => {
    neighbours.answer(requests.getDeviceRecord, ({ cookie }) => record(cookie));
    expect(await records('cookie=b')).toEqual([shown('b')]);
  });

  it.each(['device-not-registered', 'cookie-unknown'] as const)('shows none where nothing registered: %s', async (code) => {
    neighbours.refuse(requests.getDeviceRecord, new Problem(code));
    expect(await records('cookie=b')).toEqual([]);
  });

  it('shows windows that are larger than what one request answers', async () => {
    neighbours.answer(requests.listRecords, ({ start = 0, length }) => ({ records: Array.from({ length: Math.max(0, Math.min(length, 70 - start)) }, (_, index) => record(`c${start + index}`)) }));
    expect(await records('start=5&length=200')).toEqual(Array.from({ length: 65 }, (_, index) => shown(`c${5 + index}`)));
    expect(named('device-registry.records')).toEqual([5, 37, 69].map((start) => ({ merchantId: 'default', start, length: 32 })));
  });

  it('shows the last ones to who says nothing', async () => {
    neighbours.answer(requests.listRecords, () => ({ records: [record('b')] }));
    expect(await records('')).toEqual([shown('b')]);
    expect(named('device-registry.records')).toEqual([{ merchantId: 'default', length: 32 }]);
  });
});

describe('the key store', () => {
  const body = (value: object) => ({ body: value });
  it('wraps what it stores, and tells no service the KEK or the key', async () => {
    neighbours.answer(requests.storeKeys, ({ keys }) => ({ keys: keys.map((each) => ({ ...each, lastUpdate: at })) }));
    const response = await gateway.call('POST', `/keystore/keys?kek=${kek}`, body({ kid: '^kid1', k: key, kekId: 'mine', info: 'a film' }));
    expect([response.status, response.headers.get('location'), await response.json()]).toEqual([201, `/keystore/keys/${kid}`, { kid, k: key, ek, kekId: 'mine', info: 'a film', lastUpdate: at }]);
    expect(named('token-issuer.store-keys')).toEqual([{ merchantId: 'default', keys: [{ kid, ek, kekId: 'mine', info: 'a film' }] }]);
    for (const secret of [kek, key]) expect(JSON.stringify(neighbours.asked)).not.toContain(secret);
  });

  it('makes up a key where none is given', async () => {
    neighbours.answer(requests.storeKeys, ({ keys }) => ({ keys: keys.map((each) => ({ ...each, lastUpdate: at })) }));
    const response = await gateway.call('POST', `/keystore/keys?kek=${kek}`);
    expect([response.status, await response.json()]).toEqual([201, expect.objectContaining({ kid: expect.stringMatching(/^[0-9a-f]{32}$/), k: expect.stringMatching(/^[0-9a-f]{32}$/) })]);
  });

  it('answers with the key that there is', async () => {
    neighbours.refuse(requests.storeKeys, new Problem('stored-key-exists'));
    const response = await gateway.call('POST', `/keystore/keys?kek=${kek}`, body({ kid }));
    expect([response.status, await response.json()]).toEqual([200, { ...storedKey, k: key }]);
  });

  it('shows keys wrapped, and in the clear to who has the KEK', async () => {
    expect(await (await get('/keystore/keys')).json()).toEqual([storedKey]);
    expect(await (await get(`/keystore/keys/^kid1,${'0'.repeat(32)}`)).json()).toEqual([storedKey]);
    expect(await (await get(`/keystore/keys/${kid}?kek=${kek}`)).json()).toEqual([{ ...storedKey, k: key }]);
    const wrong = await get(`/keystore/keys/${kid}?kek=${'0'.repeat(32)}&errorFormat=json`);
    expect([wrong.status, await wrong.json()]).toEqual([400, expect.objectContaining({ errorCode: -4024 })]);
    expect(named('token-issuer.stored-keys').slice(0, 2)).toEqual([{ merchantId: 'default' }, { merchantId: 'default', kids: [kid, '0'.repeat(32)] }]);
  });

  it('changes what is said and leaves the rest', async () => {
    neighbours.answer(requests.changeStoredKey, ({ change }) => ({ key: { ...storedKey, ...change } }));
    const changed = async (query: string, said: object): Promise<unknown> => (await gateway.call('PUT', `/keystore/keys/^kid1${query}`, body(said))).json();
    expect(await changed('', { contentId: 'urn:film' })).toEqual({ ...storedKey, contentId: 'urn:film' });
    expect(await changed('', { ek: ek.replace('5d', '5e') })).toEqual({ ...storedKey, ek: ek.replace('5d', '5e') });
    expect(await changed('', { ek, kekId: 'new' })).toEqual({ ...storedKey, kekId: 'new' });
    expect(await changed(`?kek=${kek}`, { k: key })).toEqual({ ...storedKey, kekId: expect.stringMatching(/^sha256\./), k: key });
    expect(await changed(`?kek=${kek}`, { info: 'a film' })).toEqual({ ...storedKey, info: 'a film', k: key });
    const changes = [{ contentId: 'urn:film' }, { ek: ek.replace('5d', '5e') }, { ek, kekId: 'new' }, { ek, kekId: expect.stringMatching(/^sha256\./) }, { info: 'a film' }];
    expect(named('token-issuer.change-stored-key')).toEqual(changes.map((change) => ({ merchantId: 'default', kid, change })));
  });

  it.each([
    ['another KEK than the key’s', { info: 'a film' }],
    ['a key that another KEK wrapped', { ek }],
  ])('changes nothing for %s', async (_, said) => {
    const response = await gateway.call('PUT', `/keystore/keys/${kid}?kek=${'0'.repeat(32)}&errorFormat=json`, body(said));
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ errorCode: -4024 })]);
    expect(named('token-issuer.change-stored-key')).toEqual([]);
  });

  it('has no key that it has not', async () => {
    neighbours.answer(requests.getStoredKeys, () => ({ keys: [] }));
    neighbours.answer(requests.changeStoredKey, () => ({}));
    neighbours.answer(requests.deleteStoredKeys, () => ({ kids: [] }));
    for (const [method, options] of [['GET', {}], ['PUT', body({ info: 'x' })], ['DELETE', {}]] as const) expect((await gateway.call(method, `/keystore/keys/${kid}`, options)).status).toBe(404);
  });

  it('removes keys', async () => {
    neighbours.answer(requests.deleteStoredKeys, ({ kids }) => ({ kids }));
    expect(await (await gateway.call('DELETE', '/keystore/keys/^kid1,^kid1')).json()).toEqual({ kids: [kid] });
  });
});

describe('the sample entitlement server', () => {
  const messageID = '6b29fc40-ca47-1067-b31d-00dd010662da';
  const ask = async (more: object): Promise<unknown> => {
    const response = await gateway.call('POST', '/sees/SEESServlet', { body: { messageID, version: 1, contentID: 'film', customerCookie: 'b', ...more } });
    return [response.status, await response.json()];
  };

  it('registers a device', async () => {
    expect(await ask({ requestType: 2 })).toEqual([200, { messageID, version: 1, isAllowed: true, epTokenURL: 'https://latchkey.example/hms/wv/rights/?ExpressPlayToken=reg.is.tration' }]);
  });

  it.each([{ requestType: 3 }, { requestType: 1 }, {}])('hands out what was bought: %j', async (more) => {
    neighbours.answer(requests.getContentToken, () => ({ token: 'con.te.nt', tokenId: 'tok_1', deviceId: 'd', licenseUrl, expiresAt: at }));
    expect(await ask(more)).toEqual([200, { messageID, version: 1, isAllowed: true, epTokenURL: 'https://latchkey.example/hms/wv/rights/?ExpressPlayToken=con.te.nt' }]);
    expect(neighbours.asked).toEqual([{ name: 'token-issuer.content-token', input: { merchantId: 'default', cookie: 'b', contentId: 'film' } }]);
  });

  it.each([['purchase-unknown', -9406], ['purchase-refunded', -9412], ['device-not-registered', -5005]] as const)('allows nothing where %s', async (code, error) => {
    neighbours.refuse(requests.getContentToken, new Problem(code));
    expect(await ask({ requestType: 3 })).toEqual([200, { messageID, version: 1, isAllowed: false, epTokenURL: '', error, errorText: expect.any(String) }]);
  });

  it('says nothing of what nobody could judge', async () => {
    neighbours.refuse(requests.getContentToken, new Problem('unavailable', { retryAfterSeconds: 1 }));
    const response = await gateway.call('POST', '/sees/SEESServlet', { body: { messageID, version: 1, contentID: 'film', customerCookie: 'b' } });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  });
});
