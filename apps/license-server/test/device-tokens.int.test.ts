import { type DeviceToken, deviceTokensView, Problem } from '@latchkey/contracts';
import { newId } from '@latchkey/crypto';
import { eventually, FakeDevice } from '@latchkey/kits';
import { connectRabbit } from '@latchkey/messaging';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bench, contentToken, KID, LICENSE_URL, nowSeconds, openBenchWithReplica, quiet, registrationToken, type Replica, TOKENS_URL } from './bench.js';

const PAGE = 'https://player.example';
let bench: Bench & { replica: Replica };
let second: Replica;

beforeAll(async () => {
  bench = await openBenchWithReplica({ LATCHKEY_CORS_ORIGINS: PAGE });
  second = await bench.start();
});
afterAll(async () => bench?.close());
beforeEach(() => {
  bench.issuer.asked.length = 0;
  bench.issuer.answer = async () => ({ tokens: [listed], more: false });
});

const listed: DeviceToken = {
  token: 'a.b.c',
  tokenId: 'tok_1',
  purchaseId: 'order-1',
  contentId: 'film',
  kids: [KID],
  rights: { type: 'rental', availableUntil: '2027-01-01T00:00:00.000Z', playDurationSeconds: 60 },
  expiresAt: '2026-12-01T00:00:00.000Z',
};

interface Collection {
  readonly token: string;
  readonly at?: Replica;
  readonly proof?: string;
  readonly jti?: string;
  readonly method?: string;
}

/** A proof for this route. */
async function proofOf(device: FakeDevice, token: string, change: { jti?: string; htm?: string } = {}): Promise<string> {
  const nonce = (await fetch(`${bench.replica.url}/v1/device/tokens`)).headers.get('dpop-nonce');
  return device.proof({ licenseUrl: LICENSE_URL, htm: 'GET', htu: TOKENS_URL, token, nonce, ...change });
}

async function collect(device: FakeDevice, { token, at = bench.replica, proof, jti, method = 'GET' }: Collection): Promise<{ status: number; code: string | undefined; body: Record<string, unknown>; headers: Headers }> {
  const dpop = proof ?? (await proofOf(device, token, { jti: jti ?? newId('jti'), htm: method }));
  const { status, headers, ...response } = await fetch(`${at.url}/v1/device/tokens`, { method, headers: { authorization: `DPoP ${token}`, dpop } }).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }));
  const body = (response.text === '' ? {} : JSON.parse(response.text)) as Record<string, unknown>;
  return { status, code: body['code'] as string | undefined, body, headers };
}

describe('a device that collects its tokens', () => {
  it.each(['content', 'registration'] as const)('is shown what the issuer lists for it, with a %s token', async (kind) => {
    const device = new FakeDevice();
    const token = kind === 'content' ? contentToken(bench, device, { merchant: 'm2', cookie: 'cookie-7' }) : registrationToken(bench, { merchant: 'm2', cookie: 'cookie-7' });
    const { status, body, headers } = await collect(device, { token });
    expect([status, body]).toEqual([200, { tokens: [listed], more: false, licenseUrl: LICENSE_URL }]);
    expect(deviceTokensView.parse(body)).toEqual(body);
    expect([headers.get('cache-control'), headers.get('dpop-nonce')]).toEqual(['no-store', expect.stringMatching(/^[\w-]+$/)]);
    expect(bench.issuer.asked).toEqual([{ merchantId: 'm2', cookie: 'cookie-7', deviceId: device.deviceId }]);
  });

  it('is bound by it to nothing, and no licence is told', async () => {
    bench.registry.asked.length = 0;
    expect((await collect(new FakeDevice(), { token: registrationToken(bench) })).status).toBe(200);
    expect(bench.registry.asked).toEqual([]);
    expect(await bench.rows('select from outbox_events')).toEqual([]);
  });

  it('does not get into the log with its token or its proof', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const proof = await proofOf(device, token);
    await collect(device, { token, proof });
    await collect(device, { token, proof });
    expect(bench.logged.join('')).toContain('a list of tokens was refused');
    for (const secret of [token, proof, listed.token]) expect(bench.logged.join('')).not.toContain(secret);
  });

  it('may be a page of a listed origin', async () => {
    const url = `${bench.replica.url}/v1/device/tokens`;
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: PAGE, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization,dpop' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-methods')]).toEqual([204, PAGE, 'GET']);
    const refused = await fetch(url, { headers: { origin: PAGE } });
    expect([refused.status, refused.headers.get('access-control-expose-headers')]).toEqual([401, 'DPoP-Nonce, WWW-Authenticate, Retry-After, Date']);
  });
});

describe('a proof', () => {
  it('is good for one list, at all replicas together', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const proof = await proofOf(device, token);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => collect(device, { token, proof, at: [bench.replica, second][index % 2]! })));
    expect(answers.map(({ status, code }) => `${status} ${code}`).sort()).toEqual(['200 undefined', ...Array<string>(19).fill('401 invalid-dpop-proof')]);
  });

  it.each(['a list and then for a licence', 'a licence and then for a list'])('has a jti that is good for %s no more', async (order) => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const nonce = (await fetch(`${second.url}/v1/device/tokens`)).headers.get('dpop-nonce');
    const jti = newId('jti');
    const list = async (): Promise<string | undefined> => (await collect(device, { token, jti, at: second })).code;
    const license = async (): Promise<string | undefined> => (await bench.replica.ask(device, { token, jti, nonce })).body.code;
    const [first, then] = order.startsWith('a list') ? [list, license] : [license, list];
    expect(await first()).toBeUndefined();
    expect(await then()).toBe('invalid-dpop-proof');
  });

  it('of one route is worth nothing at the other, and neither with the method of the other', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const nonce = (await fetch(`${bench.replica.url}/v1/device/tokens`)).headers.get('dpop-nonce');
    const claims = [{ htm: 'POST', htu: TOKENS_URL }, { htm: 'GET', htu: LICENSE_URL }, { htm: 'POST', htu: LICENSE_URL }];
    for (const { htm, htu } of claims) {
      const proof = device.proof({ licenseUrl: LICENSE_URL, token, nonce, htm, htu });
      expect((await collect(device, { token, proof })).code).toBe('invalid-dpop-proof');
      if (htm === 'POST' && htu === LICENSE_URL) expect((await bench.replica.ask(device, { token, proof })).status).toBe(200);
      else expect((await bench.replica.ask(device, { token, proof })).body.code).toBe('invalid-dpop-proof');
    }
    expect((await bench.replica.ask(device, { token, proof: await proofOf(device, token) })).body.code).toBe('invalid-dpop-proof');
  });

  it('for a GET is not one for a HEAD', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const proof = await proofOf(device, token);
    expect((await collect(device, { token, proof, method: 'HEAD' })).status).toBe(401);
    expect((await collect(device, { token, proof })).status).toBe(200);
    expect((await collect(device, { token, method: 'HEAD' })).status).toBe(200);
  });

  it('that was refused has not been used', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const proof = await proofOf(device, token);
    for (const refusal of [new Problem('device-revoked'), new Problem('unavailable'), new Error('away')]) {
      bench.issuer.answer = async () => Promise.reject(refusal);
      expect((await collect(device, { token, proof })).status).not.toBe(200);
    }
    bench.issuer.answer = async () => ({ tokens: [], more: false });
    expect((await collect(device, { token, proof })).status).toBe(200);
  });
});

describe('no tokens are shown', () => {
  it('to a thief with a copied token, nor to somebody with a token that has expired; and nobody is asked', async () => {
    const device = new FakeDevice();
    expect((await collect(new FakeDevice(), { token: contentToken(bench, device) })).code).toBe('invalid-token');
    expect((await collect(new FakeDevice(), { token: registrationToken(bench, { cnf: { jkt: device.deviceId } }) })).code).toBe('invalid-token');
    const over = { iat: nowSeconds() - 100, exp: nowSeconds() - 1 };
    expect((await collect(device, { token: contentToken(bench, device, over) })).code).toBe('invalid-token');
    expect((await collect(device, { token: registrationToken(bench, over) })).code).toBe('invalid-token');
    expect(bench.issuer.asked).toEqual([]);
  });

  it.each([
    ['device-revoked', 403],
    ['cookie-bound-elsewhere', 403],
  ] as const)('where the issuer says %s', async (code, status) => {
    bench.issuer.answer = async () => Promise.reject(new Problem(code));
    const answer = await collect(new FakeDevice(), { token: registrationToken(bench) });
    expect([answer.status, answer.code, answer.headers.get('www-authenticate')]).toEqual([status, code, null]);
  });

  it('with a token that is revoked, or to a device that is, whatever the issuer says', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device, { jti: 'tok_gone' });
    await bench.revokeToken('tok_gone');
    await eventually(async () => expect((await collect(device, { token })).code).toBe('invalid-token'));
    await bench.revokeDevice(device.deviceId);
    await eventually(async () => expect((await collect(device, { token: contentToken(bench, device) })).code).toBe('device-revoked'));
    expect((await collect(device, { token: registrationToken(bench) })).code).toBe('device-revoked');
    expect((await collect(device, { token: contentToken(bench, device, { merchant: 'm2' }) })).status).toBe(200);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['fails', async () => Promise.reject(new Error('away'))],
    ['refuses with what is no refusal of ours', async () => Promise.reject(new Problem('purchase-unknown'))],
    ['answers what is not in its contract', async () => ({ tokens: [{ ...listed, kids: [] }], more: false })],
  ])('where the issuer %s: 503 with Retry-After', async (_, answer) => {
    bench.issuer.answer = answer;
    const device = new FakeDevice();
    const { status, code, headers } = await collect(device, { token: contentToken(bench, device) });
    expect([status, code, headers.get('retry-after'), headers.get('dpop-nonce')]).toEqual([503, 'unavailable', '1', expect.stringMatching(/^[\w-]+$/)]);
  });

  it('without the broker: 503, while licences are given on', async () => {
    const broker = connectRabbit({ url: 'amqp://nobody:nothing@127.0.0.1:1', clientName: 'test', logger: quiet });
    const alone = await bench.start({}, broker);
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    expect(await collect(device, { token, at: alone })).toMatchObject({ status: 503, code: 'unavailable' });
    expect((await alone.ask(device, { token })).status).toBe(200);
    await alone.stop();
    await broker.close();
  });
});

it('lists are counted apart from licences', async () => {
  const device = new FakeDevice();
  const before = await bench.replica.metrics.expose();
  await collect(device, { token: contentToken(bench, device) });
  await collect(new FakeDevice(), { token: contentToken(bench, device) });
  const after = await bench.replica.metrics.expose();
  const licenses = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('latchkey_licenses_'));
  expect(licenses(after)).toEqual(licenses(before));
  expect(after).toMatch(/latchkey_device_token_lists_total [1-9]/);
  expect(after).toMatch(/latchkey_device_token_lists_refused_total\{code="invalid-token",stage="binding",reason="other-key"\} [1-9]/);
});
