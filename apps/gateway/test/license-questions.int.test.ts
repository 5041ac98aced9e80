import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type LicenseVerdict, Problem, requests, type Scope, scopes } from '@latchkey/contracts';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const at = '2026-11-23T12:00:00.000Z';
const kid = '0123456789abcdef0123456789abcdef';

const gateway = new GatewayUnderTest();
const { neighbours } = gateway;
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => neighbours.reset());

describe('a merchant’s licence server', () => {
  const body = { token: 'a.b.c', deviceId: 'A1'.repeat(16), drm: 'playready', kids: [kid] };
  const ask = (change: object = {}): Promise<Response> => gateway.call('POST', '/v1/licenses/verify', { body: { ...body, ...change } });

  it.each<[string, LicenseVerdict]>([
    ['may licence', { allow: true, tokenId: 'tok_1', kids: [kid], rights: { type: 'rental', availableUntil: at, playDurationSeconds: 60 } }],
    ['has bound a device', { allow: true, tokenId: 'reg_1', kids: [] }],
    ['may not licence', { allow: false, code: 'device-mismatch' }],
  ])('is told that it %s', async (_, verdict) => {
    neighbours.answer(requests.verifyLicense, () => verdict);
    const response = await ask();
    expect([response.status, await response.json()]).toEqual([200, verdict]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(neighbours.asked).toEqual([{ name: 'license-server.verify', input: { merchantId: 'default', ...body } }]);
  });

  it('need not name kids', async () => {
    neighbours.answer(requests.verifyLicense, (): LicenseVerdict => ({ allow: true, tokenId: 'tok_1', kids: [kid] }));
    expect((await ask({ kids: undefined })).status).toBe(200);
    expect(neighbours.asked[0]!.input).not.toHaveProperty('kids');
  });

  it.each([
    ['playready', 'a1'.repeat(20), 'must be 32 hex digits, as playready has them'],
    ['playready', 'a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1', 'must be 32 hex digits, as playready has them'],
    ['fairplay', 'a1'.repeat(16), 'must be 40 hex digits, as fairplay has them'],
    ['other', 'a b', 'must be 1 to 128 visible ASCII characters'],
  ])('has made a mistake where the id of a %s device is %s', async (drm, deviceId, message) => {
    expect(await refusalOf(await ask({ drm, deviceId }))).toEqual({ status: 400, code: 'invalid-request', errors: [{ path: '/deviceId', message }] });
    expect(neighbours.asked).toEqual([]);
  });

  it.each([
    ['is away', () => neighbours.refuse(requests.verifyLicense, new Problem('unavailable', { retryAfterSeconds: 1 })), 503],
    ['says what is in no contract', () => neighbours.answer(requests.verifyLicense, () => ({ allow: 'yes' }) as never), 500],
    ['allows without saying what', () => neighbours.answer(requests.verifyLicense, () => ({ allow: true }) as never), 500],
    ['refuses with a code that is unknown here', () => neighbours.answer(requests.verifyLicense, () => ({ allow: false, code: 'new' }) as never), 500],
  ])('is allowed nothing where ours %s', async (_, prepare, status) => {
    prepare();
    const response = await ask();
    expect([response.headers.get('retry-after'), (await refusalOf(response)).status]).toEqual([status === 503 ? '1' : null, status]);
  });

  it('is allowed nothing where ours does not answer in time', async () => {
    neighbours.answer(requests.verifyLicense, () => new Promise((resolve) => setTimeout(() => resolve({ allow: true, tokenId: 'tok_1', kids: [kid] }), 5_500)));
    const response = await ask();
    expect([response.headers.get('retry-after'), await refusalOf(response)]).toEqual(['1', { status: 503, code: 'unavailable', detail: 'license-server does not answer' }]);
  });

  it('asks with a key that may do nothing else, and no other key may', async () => {
    neighbours.answer(requests.verifyLicense, (): LicenseVerdict => ({ allow: false, code: 'invalid-token' }));
    const call = async (ofScopes: readonly Scope[]) => (await gateway.call('POST', '/v1/licenses/verify', { body, key: await gateway.makeKey('acme', ofScopes) })).status;
    expect(await call(['licenses:verify'])).toBe(200);
    expect(neighbours.asked[0]!.input).toMatchObject({ merchantId: 'acme' });
    expect(await call(scopes.filter((scope) => scope !== 'licenses:verify'))).toBe(403);
  });
});
