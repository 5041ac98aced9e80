import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type OperationContract, operations, Problem, requests, scopes } from '@latchkey/contracts';
import { generateApiKey, parseApiKey } from '@latchkey/crypto';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const gateway = new GatewayUnderTest({ LATCHKEY_FAILED_LOOKUPS_BURST: '100000' });
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => gateway.neighbours.reset());

const secured = operations.operations.filter((operation: OperationContract) => operation.server === 'gateway' && operation.security.kind === 'api-key');
const pathOf = (operation: OperationContract): string => operation.path.replace('{kid}', '0'.repeat(32)).replace(/\{[^}]+\}/g, 'some');
const update = (key: string, set: string): Promise<unknown> => gateway.replica.dataSource.query(`update api_keys set ${set} where key_id = $1`, [parseApiKey(key)!.keyId]);

describe.each(secured.map((operation: OperationContract) => [operation.id, operation] as const))('%s', (_, operation) => {
  const call = (key: string | null, headers: Record<string, string> = {}): Promise<Response> => gateway.call(operation.method, pathOf(operation), { key, headers });
  const another = (key: string): string => `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;

  it.each<[string, () => Promise<string | null>]>([
    ['no key', async () => null],
    ['something else than a key', async () => 'secret'],
    ['an unknown key', async () => generateApiKey('test')],
    ['a key with another secret', async () => another(gateway.key)],
    ['a key with another env', async () => gateway.key.replace('lk_test_', 'lk_live_')],
    [
      'a revoked key',
      async () => {
        const key = await gateway.makeKey();
        await update(key, 'revoked_at = now()');
        return key;
      },
    ],
    [
      'an expired key',
      async () => {
        const key = await gateway.makeKey();
        await update(key, 'expires_at = now()');
        return key;
      },
    ],
  ])('is 401 with %s', async (_case, makeKey) => {
    const response = await call(await makeKey());
    expect(await refusalOf(response)).toEqual({ status: 401, code: 'unauthenticated' });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(gateway.neighbours.asked).toEqual([]);
  });

  it('is 401 with a key in another scheme', async () => {
    expect(await refusalOf(await call(null, { authorization: `DPoP ${gateway.key}` }))).toEqual({ status: 401, code: 'unauthenticated' });
    expect(await refusalOf(await call(null, { authorization: gateway.key }))).toEqual({ status: 401, code: 'unauthenticated' });
  });

  const scope = operation.security.kind === 'api-key' ? operation.security.scope : undefined;
  it(scope === undefined ? 'needs no scope' : `is 403 with every scope but ${scope}`, async () => {
    const key = await gateway.makeKey('default', scope === undefined ? [] : scopes.filter((each) => each !== scope));
    const controller = new AbortController();
    const response = await fetch(`${gateway.replica.url}${pathOf(operation)}`, { method: operation.method, headers: { authorization: `Bearer ${key}` }, signal: controller.signal });
    if (scope === undefined) expect(response.status).toBe(200);
    else expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining(scope) });
    controller.abort();
    expect(gateway.neighbours.asked).toEqual([]);
  });
});

describe('an API key', () => {
  it('works in any spelling of the scheme', async () => {
    for (const authorization of [`bearer ${gateway.key}`, `BEARER   ${gateway.key}`]) {
      expect((await gateway.call('GET', '/v1/merchant', { key: null, headers: { authorization } })).status).toBe(200);
    }
  });

  it('that expires later still works', async () => {
    const key = await gateway.makeKey();
    await update(key, `expires_at = now() + interval '1 minute'`);
    expect((await gateway.call('GET', '/v1/merchant', { key })).status).toBe(200);
  });

  it('is not in the database', async () => {
    const rows: unknown = await gateway.replica.dataSource.query('select *, encode(hash, $1) as text from api_keys', ['escape']);
    expect(JSON.stringify(rows)).not.toContain(parseApiKey(gateway.key)!.secret);
  });

  it('is not asked for where everybody may look', async () => {
    gateway.neighbours.answer(requests.getJwks, () => ({ keys: [] }));
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/asyncapi.yaml', '/docs', '/.well-known/jwks.json']) {
      const response = await gateway.call('GET', path, { key: null });
      expect([path, response.status]).toEqual([path, 200]);
      await response.body?.cancel();
    }
  });
});

describe('a gateway without its database', () => {
  it('calls no key wrong, but is unavailable', async () => {
    const query = gateway.replica.dataSource.query.bind(gateway.replica.dataSource);
    gateway.replica.dataSource.query = async () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    try {
      const response = await gateway.call('GET', '/v1/merchant');
      expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'unavailable' });
      expect(response.headers.get('retry-after')).toBe('1');
    } finally {
      gateway.replica.dataSource.query = query;
    }
  });
});

describe('the signing keys', () => {
  it('are 503 where they were never known, and stay known afterwards', async () => {
    const fresh = new GatewayUnderTest();
    await fresh.start();
    try {
      fresh.neighbours.refuse(requests.getJwks, new Problem('unavailable', { retryAfterSeconds: 1 }));
      const away = await fresh.call('GET', '/.well-known/jwks.json', { key: null });
      expect(await refusalOf(away)).toMatchObject({ status: 503, code: 'unavailable' });
      expect(away.headers.get('retry-after')).toBe('1');
      const keys = [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k', alg: 'ES256', use: 'sig' } as const];
      fresh.neighbours.answer(requests.getJwks, () => ({ keys: [...keys] }));
      const known = await fresh.call('GET', '/.well-known/jwks.json', { key: null });
      expect([known.status, known.headers.get('cache-control'), await known.json()]).toEqual([200, 'public, max-age=5', { keys }]);
      fresh.neighbours.refuse(requests.getJwks, new Problem('unavailable'));
      expect((await fresh.call('GET', '/.well-known/jwks.json', { key: null })).status).toBe(200);
    } finally {
      await fresh.stop();
    }
  });
});
