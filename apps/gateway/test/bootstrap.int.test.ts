import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scopes } from '@latchkey/contracts';
import { generateApiKey, parseApiKey } from '@latchkey/crypto';
import { ConfigurationError } from '@latchkey/service-defaults';
import { GatewayUnderTest } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

const show = async (key: string): Promise<unknown> => {
  const response = await gateway.call('GET', '/v1/merchant', { key });
  return response.ok ? await response.json() : response.status;
};
const all = { merchantId: 'default', scopes: [...scopes] };
const restartWith = async (environment: Record<string, string>): Promise<void> => gateway.stopReplica(await gateway.startReplica(environment));

describe('the bootstrap key', () => {
  it('works from the first start, and after the next one', async () => {
    expect(await show(gateway.key)).toEqual(all);
    await restartWith({});
    expect(await show(gateway.key)).toEqual(all);
  });

  it('is made once by replicas that start together', async () => {
    const key = generateApiKey('live');
    const started = await Promise.all([1, 2, 3].map(() => gateway.startReplica({ LATCHKEY_BOOTSTRAP_API_KEY: key })));
    expect(await show(key)).toEqual(all);
    for (const replica of started) await gateway.stopReplica(replica);
  });

  it('may change: the former one works on until somebody revokes it', async () => {
    const next = generateApiKey('live');
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: next });
    expect([await show(next), await show(gateway.key)]).toEqual([all, all]);
  });

  it('takes the place of another secret under the same id', async () => {
    const [before, after] = [generateApiKey('live', 'samekeyid'), generateApiKey('live', 'samekeyid')];
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: before });
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: after });
    expect([await show(before), await show(after)]).toEqual([401, all]);
  });

  it.each(['revoked_at', 'expires_at'])('is not brought back by a restart once its %s is set', async (column) => {
    const key = generateApiKey('live');
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: key });
    await gateway.replica.dataSource.query(`update api_keys set ${column} = now() where key_id = $1`, [parseApiKey(key)!.keyId]);
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: key });
    expect(await show(key)).toBe(401);
  });

  it('may belong to another merchant than the default', async () => {
    const key = generateApiKey('live');
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: key, LATCHKEY_BOOTSTRAP_MERCHANT_ID: 'acme' });
    expect(await show(key)).toEqual({ ...all, merchantId: 'acme' });
  });

  it('never passes from one merchant to another', async () => {
    await expect(gateway.startReplica({ LATCHKEY_BOOTSTRAP_MERCHANT_ID: 'thief' })).rejects.toThrow('belongs to another merchant');
    expect(await show(gateway.key)).toEqual(all);
  });

  it('need not be', async () => {
    await restartWith({ LATCHKEY_BOOTSTRAP_API_KEY: '' });
  });

  it.each(['swordfish', 'lk_test_abc', `${generateApiKey('live')}A`, generateApiKey('live').replace('lk_live', 'lk_LIVE')])('stops the start in a wrong form, unquoted: %#', async (bad) => {
    const error = await gateway.startReplica({ LATCHKEY_BOOTSTRAP_API_KEY: bad }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain('LATCHKEY_BOOTSTRAP_API_KEY must be an API key');
    expect((error as Error).message).not.toContain(bad);
  });
});
