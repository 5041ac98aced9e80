import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem, requests } from '@latchkey/contracts';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => gateway.neighbours.reset());

const kid = '0123456789abcdef0123456789abcdef';
const purchase = { purchaseId: 'order-1', cookie: 'biscuit', contentId: 'film', kids: [kid], rights: { type: 'purchase' } };

describe('a request that is not as specified', () => {
  it.each([
    ['a member that is not known', { ...purchase, colour: 'red' }, 'unknown-member', ['/colour']],
    ['a member that is not known, further in', { ...purchase, rights: { type: 'purchase', colour: 'red' } }, 'unknown-member', ['/rights/colour']],
    ['a missing member', { ...purchase, cookie: undefined }, 'invalid-request', ['/cookie']],
    ['several faults', { ...purchase, purchaseId: '', kids: [kid, kid], colour: 'red' }, 'invalid-request', ['/purchaseId', '/kids', '/colour']],
    ['33 kids', { ...purchase, kids: Array.from({ length: 33 }, (_, n) => n.toString(16).padStart(32, '0')) }, 'invalid-request', ['/kids']],
    ['an id of 129 characters', { ...purchase, purchaseId: 'a'.repeat(129) }, 'invalid-request', ['/purchaseId']],
    ['a time without a zone', { ...purchase, completedAt: '2026-11-23T12:00:00' }, 'invalid-request', ['/completedAt']],
    ['null for a body', null, 'invalid-request', ['']],
    ['a list for a body', [purchase], 'invalid-request', ['']],
    ['__proto__', '{"__proto__": {"purchaseId": "order-1"}}', 'invalid-request', ['/purchaseId']],
  ])('is refused, naming every fault: %s', async (_, body, code, paths) => {
    const refusal = await refusalOf(await gateway.call('POST', '/v1/purchases', { body }));
    expect(refusal).toMatchObject({ status: 400, code });
    const named = (refusal.errors as { path: string; message: string }[]).map(({ path }) => path);
    expect(named).toEqual(expect.arrayContaining(paths));
    expect(gateway.neighbours.asked).toEqual([]);
  });

  it.each([
    ['malformed JSON', '{"accountId":'],
    ['no body where one is needed', undefined],
  ])('is refused: %s', async (_, body) => {
    expect(await refusalOf(await gateway.call('POST', '/v1/cookies', { body }))).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it.each([['text/plain'], ['application/x-www-form-urlencoded'], ['multipart/form-data; boundary=x'], ['application/jsonx']])('is refused as %s', async (type) => {
    const response = await gateway.call('POST', '/v1/cookies', { body: '{"accountId":"alice"}', headers: { 'content-type': type } });
    expect(await refusalOf(response)).toEqual({ status: 415, code: 'unsupported-media-type' });
  });

  it.each([
    ['at the top', '{"accountId":"alice","accountId":"mallory"}', '/accountId'],
    ['in another spelling', '{"accountId":"alice","account\\u0049d":"alice"}', '/accountId'],
    ['further in', '{"rights":{"type":"rental","type":"purchase"},"kids":["a",{"b":[]}]}', '/rights/type'],
    ['in a list, after strings that look like members', '{"x":["a\\":{", {"a/b":1,"c":{"a/b":2},"a/b":3}]}', '/x/1/a~1b'],
    ['as __proto__', '{"__proto__":{},"__proto__":{}}', '/__proto__'],
  ])('is refused, by its path, with a member that stands twice %s', async (_, body, path) => {
    const refusal = await refusalOf(await gateway.call('POST', '/v1/cookies', { body }));
    expect(refusal).toEqual({ status: 400, code: 'invalid-request', detail: 'the body has a member that stands twice', errors: [{ path, message: 'stands twice' }] });
    expect(gateway.neighbours.asked).toEqual([]);
  });

  it('may begin with a byte order mark, and may not nest deeper than anybody needs', async () => {
    gateway.neighbours.refuse(requests.issueCookie, new Problem('idempotency-key-differs'));
    expect(await refusalOf(await gateway.call('POST', '/v1/cookies', { body: '\ufeff{"accountId":"alice"}' }))).toMatchObject({ status: 422 });
    expect(await refusalOf(await gateway.call('POST', '/v1/cookies', { body: '['.repeat(30_000) + ']'.repeat(30_000) }))).toMatchObject({ status: 400, detail: 'the body is nested too deeply' });
  });

  it.each(['gzip', 'br', 'identity, gzip', 'x'])('is refused with the content coding %s, whatever its bytes', async (coding) => {
    for (const body of ['{"accountId":"alice"}', gzipSync('{"accountId":"alice"}')]) {
      const response = await gateway.call('POST', '/v1/cookies', { body, headers: { 'content-encoding': coding } });
      expect(await refusalOf(response)).toMatchObject({ status: 415, code: 'unsupported-media-type', detail: expect.stringContaining('content coding') });
      expect(response.headers.get('accept-encoding')).toBe('identity');
    }
    expect(gateway.neighbours.asked).toEqual([]);
  });

  it('is taken with the coding that is none', async () => {
    gateway.neighbours.refuse(requests.issueCookie, new Problem('idempotency-key-differs'));
    for (const coding of ['identity', 'Identity', '']) {
      const response = await gateway.call('POST', '/v1/cookies', { body: { accountId: 'alice' }, headers: { 'content-encoding': coding } });
      expect(await refusalOf(response)).toMatchObject({ status: 422 });
    }
  });

  it('is refused with more than 64 KiB, and taken with as much', async () => {
    gateway.neighbours.answer(requests.issueCookie, () => ({ cookie: 'biscuit', accountId: 'alice', state: 'pending' as const, expiresAt: '2026-11-23T12:00:00Z' }));
    const ofBytes = (bytes: number): string => '{"accountId":"alice"}'.padEnd(bytes);
    expect((await gateway.call('POST', '/v1/cookies', { body: ofBytes(65_536) })).status).toBe(201);
    expect(await refusalOf(await gateway.call('POST', '/v1/cookies', { body: ofBytes(65_537) }))).toEqual({ status: 413, code: 'payload-too-large' });
  });

  it('is answered with 404 where there is nothing', async () => {
    for (const path of ['/', '/v1', '/v1/cookies/a/b/c', '/v2/cookies', '/v1/licenses/verify/again', '/docs/../../package.json', '/v1/licenses', '/v1/device/tokens']) {
      expect(await refusalOf(await gateway.call('GET', path))).toEqual({ status: 404, code: 'not-found' });
    }
  });

  it.each([
    ['DELETE', '/v1/cookies/biscuit', 'GET'],
    ['GET', '/v1/cookies', 'POST'],
    ['POST', `/v1/content-keys/${kid}`, 'PUT'],
    ['PATCH', '/v1/purchases/order-1?x=1', 'GET'],
  ])('is answered with 405 where the method is wrong: %s %s', async (method, path, allowed) => {
    const response = await gateway.call(method, path);
    expect(await refusalOf(response)).toEqual({ status: 405, code: 'method-not-allowed' });
    expect(response.headers.get('allow')).toBe(allowed);
  });

  it('is answered on the bare socket where it is not even HTTP', async () => {
    const { port } = new URL(gateway.replica.url!);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('garbage\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString())).on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"invalid-request"/);
  });
});

describe('a service that is away', () => {
  it('is 503 with Retry-After, once the time is over', async () => {
    let answerLate: () => void = () => undefined;
    gateway.neighbours.answer(requests.getPurchase, () => new Promise((_, reject) => (answerLate = () => reject(new Error('too late')))));
    const response = await gateway.call('GET', '/v1/purchases/order-1');
    expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'unavailable' });
    expect(response.headers.get('retry-after')).toBe('1');
    answerLate();
  });

  it('that fails is a bare 500 with a request id, and nothing of the cause', async () => {
    const response = await gateway.call('GET', '/v1/purchases/order-1', { headers: { 'x-request-id': 'mine' } });
    expect(response.headers.get('x-request-id')).toBe('mine');
    expect(await response.json()).toEqual({
      type: 'urn:latchkey:problem:internal',
      title: 'Something went wrong on our side',
      status: 500,
      code: 'internal',
      requestId: 'mine',
    });
  });
});
