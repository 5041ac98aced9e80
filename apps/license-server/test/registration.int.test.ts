import { type ErrorCode, license } from '@latchkey/contracts';
import { eventually, FakeDevice } from '@latchkey/kits';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bench, CONTENT_KEY, KID, kidInRequest, nowSeconds, openBenchWithReplica, OTHER_KID, registrationToken, type Replica } from './bench.js';

let bench: Bench & { replica: Replica };

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());
beforeEach(() => {
  bench.registry.asked.length = 0;
  bench.registry.answer = async () => ({ outcome: 'bound' });
});

describe('a registration', () => {
  it('binds the device with what the token says, and answers a licence that opens nothing', async () => {
    const device = new FakeDevice();
    const token = registrationToken(bench, { cookie: 'cookie-7', account: 'alice', cookie_exp: Date.UTC(2100, 0, 1) / 1000 });
    const answer = await bench.replica.ask(device, { token, kids: [KID, OTHER_KID] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(bench.registry.asked).toEqual([
      {
        merchantId: 'm1',
        cookie: 'cookie-7',
        accountId: 'alice',
        cookieExpiresAt: '2100-01-01T00:00:00.000Z',
        evidence: 'proof',
        deviceId: device.deviceId,
      },
    ]);
    const { keys } = license.parse(answer.body);
    expect(keys.map((key) => key.kid)).toEqual([KID, OTHER_KID].map(kidInRequest));
    expect(keys[0]!.k).not.toBe(keys[1]!.k);
    expect(keys.map((key) => key.k)).not.toContain(CONTENT_KEY.toString('base64url'));
  });

  it('makes up a kid where the body is empty', async () => {
    const answer = await bench.replica.ask(new FakeDevice(), { token: registrationToken(bench), body: '' });
    expect(answer.status).toBe(200);
    expect(license.parse(answer.body).keys).toHaveLength(1);
  });

  it('is the same again for the same device, and refused for the same proof', async () => {
    const device = new FakeDevice();
    const token = registrationToken(bench);
    const first = await bench.replica.ask(device, { token });
    expect([first.status, (await bench.replica.ask(device, { token })).status]).toEqual([200, 200]);
    expect((await bench.replica.ask(device, { token, proof: first.proof! })).body.code).toBe('invalid-dpop-proof');
  });

  it('is told by DeviceRegistered and not by LicenseGranted', async () => {
    expect((await bench.replica.ask(new FakeDevice(), { token: registrationToken(bench) })).status).toBe(200);
    expect(await bench.rows(`select from outbox_events where type = 'license.granted.v1'`)).toEqual([]);
    expect(bench.heard.filter(({ type }) => type === 'license.granted.v1')).toEqual([]);
  });

  it.each(['{', '{}', '{"kids":[]}', ' '])('is refused with the body %j, and nothing is bound', async (body) => {
    expect((await bench.replica.ask(new FakeDevice(), { token: registrationToken(bench), body })).body.code).toBe('invalid-request');
    expect(bench.registry.asked).toEqual([]);
  });

  it('with a narrowed token is for the key that it names alone', async () => {
    const [device, thief] = [new FakeDevice(), new FakeDevice()];
    const token = registrationToken(bench, { cnf: { jkt: device.deviceId } });
    const refused = await bench.replica.ask(thief, { token });
    expect([refused.status, refused.body.code]).toEqual([401, 'invalid-token']);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(bench.registry.asked).toEqual([]);
    expect((await bench.replica.ask(device, { token })).status).toBe(200);
  });

  it('with an expired token is refused before anybody is asked', async () => {
    const token = registrationToken(bench, { iat: nowSeconds() - 700, exp: nowSeconds() - 100 });
    expect((await bench.replica.ask(new FakeDevice(), { token })).body.code).toBe('invalid-token');
    expect(bench.registry.asked).toEqual([]);
  });

  it.each<[string, number, ErrorCode]>([
    ['cookie-bound-elsewhere', 403, 'cookie-bound-elsewhere'],
    ['device-revoked', 403, 'device-revoked'],
    ['cookie-expired', 401, 'invalid-token'],
  ])('that the registry refuses as %s is answered %i %s and told', async (outcome, status, code) => {
    bench.registry.answer = async () => ({ outcome });
    const device = new FakeDevice();
    const answer = await bench.replica.ask(device, { token: registrationToken(bench, { jti: `reg-${outcome}` }), jti: 'kept' });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    await eventually(() =>
      expect(bench.heard).toContainEqual({
        type: 'license.denied.v1',
        data: expect.objectContaining({ tokenId: `reg-${outcome}`, deviceId: device.deviceId, cookie: 'cookie-1', kids: [KID], code }),
      }),
    );
    bench.registry.answer = async () => ({ outcome: 'bound' });
    expect((await bench.replica.ask(device, { token: registrationToken(bench), jti: 'kept' })).status).toBe(200);
  });

  it('of a device that we know to be revoked is refused, whatever the registry says', async () => {
    const device = new FakeDevice();
    await bench.revokeDevice(device.deviceId);
    await eventually(async () => expect((await bench.replica.ask(device, { token: registrationToken(bench) })).body.code).toBe('device-revoked'));
  });

  it.each<[string, () => Promise<unknown>]>([
    ['fails', async () => Promise.reject(new Error('away'))],
    ['answers what is not in its contract', async () => ({ outcome: 'maybe' })],
    ['answers too late', () => new Promise((resolve) => setTimeout(() => resolve({ outcome: 'bound' }), 3_300))],
  ])('is 503 with Retry-After where the registry %s', async (_, registryAnswer) => {
    bench.registry.answer = registryAnswer;
    const answer = await bench.replica.ask(new FakeDevice(), { token: registrationToken(bench) });
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    expect(answer.body.keys).toBeUndefined();
  });
});
