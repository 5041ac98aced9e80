import { errorCodes } from '@latchkey/contracts';
import { KeyRing } from '@latchkey/crypto';
import { eventually, FakeDevice, type FakeLicenseAnswer, type FakeLicenseRequest } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, CONTENT_KEY, contentToken, KID, kidInRequest, LICENSE_URL, nowSeconds, openBenchWithReplica, OTHER_KID, type Replica } from './bench.js';

let bench: Bench & { replica: Replica };
const device = new FakeDevice();

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());

const PLAIN = 'DPoP algs="ES256"';
const challenge = (error: string): string => `${PLAIN}, error="${error}"`;

async function ask(request: Partial<FakeLicenseRequest> = {}, by = device): Promise<FakeLicenseAnswer> {
  return bench.replica.ask(by, { token: contentToken(bench, by), ...request });
}

/** What holds for every answer of the route, and for every refusal. */
function expectAnswer(answer: FakeLicenseAnswer, status: number, code?: string, authenticate?: string): void {
  expect([answer.status, answer.body?.code, answer.headers.get('www-authenticate')]).toEqual([status, code, authenticate ?? null]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('dpop-nonce')).toMatch(/^[\w-]+$/);
  if (code === undefined) return;
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const { title } = errorCodes[code as keyof typeof errorCodes];
  expect(answer.body).toMatchObject({ type: `urn:latchkey:problem:${code}`, title, status });
}

describe('a licence', () => {
  it('is given to the device that its token is bound to', async () => {
    const token = contentToken(bench, device, { kids: [KID, OTHER_KID] });
    const answer = await ask({ token, kids: [OTHER_KID, KID] });
    expectAnswer(answer, 200);
    const k = CONTENT_KEY.toString('base64url');
    expect(answer.body).toEqual({
      keys: [OTHER_KID, KID].map((kid) => ({ kty: 'oct', kid: kidInRequest(kid), k })),
      type: 'temporary',
    });
  });

  it('is given again and again with one token, each time for a new proof', async () => {
    const token = contentToken(bench, device);
    for (let time = 0; time < 3; time += 1) expectAnswer(await ask({ token }), 200);
  });

  it.each(['application/json', 'application/octet-stream', 'text/plain;charset=UTF-8', 'x', ';;;', 'multipart/form-data', 'application/json; charset=latin1'])(
    'is given whatever the Content-Type: %s',
    async (contentType) => {
      expectAnswer(await ask({ headers: { 'content-type': contentType } }), 200);
    },
  );

  it('is given where the type is left out, and with scheme names in any case', async () => {
    expectAnswer(await ask({ body: JSON.stringify({ kids: [kidInRequest(KID)] }) }), 200);
    expectAnswer(await ask({ scheme: 'dpop' }), 200);
  });

  it('is told to the merchant, without a key or a token', async () => {
    const token = contentToken(bench, device, { jti: 'tok_told' });
    expectAnswer(await ask({ token }), 200);
    const event = await eventually(() => {
      const found = bench.heard.find(({ data }) => data['tokenId'] === 'tok_told');
      expect(found).toBeDefined();
      return found;
    });
    expect(event).toEqual({
      type: 'license.granted.v1',
      data: { merchantId: 'm1', tokenId: 'tok_told', cookie: 'cookie-1', deviceId: device.deviceId, kids: [KID], at: expect.any(String) },
    });
  });
});

describe('the case table', () => {
  it('401 invalid_token where the token has expired since it was last used', async () => {
    const token = contentToken(bench, device, { exp: nowSeconds() + 2 });
    expectAnswer(await ask({ token }), 200);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expectAnswer(await ask({ token }), 401, 'invalid-token', challenge('invalid_token'));
  });

  it('401 invalid_token where the token is revoked, from its commit on', async () => {
    const token = contentToken(bench, device, { jti: 'tok_revoked' });
    const sameIdOfAnother = contentToken(bench, device, { jti: 'tok_revoked', merchant: 'm2' });
    expectAnswer(await ask({ token }), 200);
    await bench.revokeToken('tok_revoked');
    await eventually(async () => expectAnswer(await ask({ token }), 401, 'invalid-token', challenge('invalid_token')), { timeoutMs: 1_000 });
    expectAnswer(await ask({ token: sameIdOfAnother }), 200);
  });

  it('tells which rule a body breaks', async () => {
    expect((await ask({ kids: [KID, KID] })).body['errors']).toEqual([{ path: '/kids', message: 'must all be different' }]);
  });

  it('403 where the device is revoked, whatever became of the token', async () => {
    const lost = new FakeDevice();
    const token = contentToken(bench, lost, { jti: 'tok_of_lost' });
    const elsewhere = contentToken(bench, lost, { merchant: 'm2' });
    expectAnswer(await ask({ token }, lost), 200);
    await bench.revokeDevice(lost.deviceId);
    await eventually(async () => expectAnswer(await ask({ token }, lost), 403, 'device-revoked'), { timeoutMs: 1_000 });
    await bench.revokeToken('tok_of_lost');
    await eventually(async () => expect(await bench.rows(`select from revoked_tokens where token_id = 'tok_of_lost'`)).toHaveLength(1));
    expectAnswer(await ask({ token }, lost), 403, 'device-revoked');
    expectAnswer(await ask({ token: elsewhere }, lost), 200);
  });

  it('503 where a content key is wrapped under a KEK that is not configured', async () => {
    const ring = new KeyRing([{ id: 'k9', key: Buffer.alloc(32, 9) }]);
    const answer = await ask({ token: contentToken(bench, device, {}, ring) });
    expectAnswer(answer, 503, 'unavailable');
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(bench.logged.join('')).toContain('a content key is wrapped under a KEK that is not configured');
  });

  it('refuses in the order of the contract', async () => {
    const thief = new FakeDevice();
    const token = contentToken(bench, device);
    const order: [Partial<FakeLicenseRequest>, string][] = [
      [{ scheme: 'Bearer', htm: 'GET', nonce: 'x', token, kids: [OTHER_KID] }, 'invalid-token'],
      [{ htm: 'GET', nonce: 'x', token: 'x', body: '{' }, 'invalid-dpop-proof'],
      [{ nonce: 'x', token: 'x', body: '{' }, 'use-dpop-nonce'],
      [{ token, body: '{', kids: [OTHER_KID] }, 'invalid-token'],
    ];
    await ask({ token }, thief);
    for (const [request, code] of order) expect((await ask(request, thief)).body.code).toBe(code);
    expect((await ask({ token, body: '{' })).body.code).toBe('invalid-request');
  });
});

describe('what is kept to itself', () => {
  it('nothing that was logged holds a token, a proof, a cookie or a key', async () => {
    const token = contentToken(bench, device);
    const { proof } = await ask({ token });
    await ask({ token, kids: [OTHER_KID] });
    const log = bench.logged.join('');
    expect(log).toContain('a licence was refused');
    for (const secret of [token, proof!, 'cookie-1', CONTENT_KEY.toString('base64url'), CONTENT_KEY.toString('hex')]) expect(log).not.toContain(secret);
  });

  it('metrics count by reason', async () => {
    await ask({ htu: `${LICENSE_URL}/` });
    const text = await bench.replica.metrics.expose();
    expect(text).toMatch(/latchkey_licenses_granted_total\{kind="content"\} [1-9]/);
    expect(text).toMatch(/latchkey_licenses_denied_total\{code="invalid-dpop-proof",stage="proof",reason="htu"\} [1-9]/);
    expect(text).toMatch(/latchkey_revocation_age_seconds \d/);
  });

  it.each([
    'latchkey_revocation_age_seconds gauge',
    'latchkey_licenses_denied_total counter',
    'latchkey_queue_messages gauge',
    'latchkey_outbox_oldest_seconds gauge',
    'latchkey_outbox_events_total counter',
    'latchkey_events_handled_total counter',
    'latchkey_broker_up gauge',
  ])('has the metric that operators are told to watch: %s', async (metric) => {
    expect(await bench.replica.metrics.expose()).toContain(`# TYPE ${metric}\n`);
  });
});
