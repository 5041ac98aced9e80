import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TokenIssued } from '@latchkey/contracts';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
let mine: string;
let theirs: string;
beforeAll(async () => {
  await gateway.start();
  [mine, theirs] = [await gateway.makeKey('mine'), await gateway.makeKey('theirs')];
});
afterAll(() => gateway.stop());

type Json = Record<string, unknown>;
const url = 'https://shop.invalid/hook';
const call = (method: string, path: string, body?: unknown, key = mine): Promise<Response> => gateway.call(method, path, { body, key });
async function create(body: Json = { url }, key = mine): Promise<Json & { webhookId: string; secret: string }> {
  const response = await call('POST', '/v1/webhooks', body, key);
  expect(response.status).toBe(201);
  return (await response.json()) as never;
}
const show = async (webhookId: string): Promise<Json> => (await (await call('GET', `/v1/webhooks/${webhookId}`)).json()) as Json;

describe('a webhook', () => {
  it('is shown with its secret once, and without it from then on', async () => {
    const made = await create({ url, eventTypes: [TokenIssued.type], description: 'the shop' });
    const { secret, ...view } = made;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(view).toEqual({ webhookId: expect.stringMatching(/^wh_/), url, eventTypes: [TokenIssued.type], description: 'the shop', state: 'active', createdAt: expect.any(String) });
    expect(await show(made.webhookId)).toEqual(view);
    const list = (await (await call('GET', '/v1/webhooks')).json()) as { webhooks: Json[] };
    expect(list.webhooks).toContainEqual(view);
    expect(JSON.stringify(list)).not.toContain('whsec_');
  });

  it('leaves no readable secret in the database', async () => {
    const { webhookId, secret } = await create();
    await call('POST', `/v1/webhooks/${webhookId}/secret`);
    const [row] = await gateway.replica.dataSource.query<Json[]>('select * from webhooks where webhook_id = $1', [webhookId]);
    expect(row!['secret']).toMatch(/^w1\./);
    expect(JSON.stringify(row)).not.toContain('whsec_');
    expect(JSON.stringify(row)).not.toContain(secret.slice(6, 30));
  });

  it('is gone when it is removed', async () => {
    const { webhookId } = await create();
    const removed = await call('DELETE', `/v1/webhooks/${webhookId}`);
    expect([removed.status, await removed.text()]).toEqual([204, '']);
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/secret'], ['GET', '/deliveries'], ['POST', '/deliveries/msg_1/redeliver']] as const) {
      expect(await refusalOf(await call(method, `/v1/webhooks/${webhookId}${path}`))).toEqual({ status: 404, code: 'webhook-unknown' });
    }
  });

  it('has a new secret beside the one before, for a day', async () => {
    const { webhookId, secret } = await create();
    const response = await call('POST', `/v1/webhooks/${webhookId}/secret`);
    expect(response.status).toBe(201);
    const rotated = (await response.json()) as { secret: string; previousSecretUntil: string };
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect(Math.abs(Date.parse(rotated.previousSecretUntil) - Date.now() - 86_400_000)).toBeLessThan(60_000);
    expect(await show(webhookId)).toMatchObject({ previousSecretUntil: rotated.previousSecretUntil });
  });

  it('is its merchant’s alone', async () => {
    const { webhookId } = await create();
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/secret'], ['GET', '/deliveries'], ['POST', '/deliveries/msg_1/redeliver']] as const) {
      expect(await refusalOf(await call(method, `/v1/webhooks/${webhookId}${path}`, undefined, theirs))).toEqual({ status: 404, code: 'webhook-unknown' });
    }
    expect(await (await call('GET', '/v1/webhooks', undefined, theirs)).json()).toEqual({ webhooks: [] });
    expect(await show(webhookId)).not.toHaveProperty('previousSecretUntil');
  });

  it.each([
    ['http://shop.example/hook', 'must be an https URL'],
    ['https://127.0.0.1:8443/hook', 'must not be an address that is not public'],
    ['https://0x7f.1/hook', 'must not be an address that is not public'],
    ['https://[::ffff:10.0.0.1]/hook', 'must not be an address that is not public'],
    ['https://169.254.169.254/latest/meta-data', 'must not be an address that is not public'],
  ])('is not made for an address that is not public, unless that is allowed: %s', async (bad, message) => {
    expect(await refusalOf(await call('POST', '/v1/webhooks', { url: bad }))).toEqual({ status: 400, code: 'invalid-request', errors: [{ path: '/url', message }] });
  });

  it('is one of sixteen at most, also where two are asked for at once', async () => {
    const key = await gateway.makeKey('many');
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/v1/webhooks', { url }, key)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(16);
    const refused = answers.find(({ status }) => status !== 201)!;
    expect(await refusalOf(refused)).toMatchObject({ status: 409, code: 'webhook-limit-reached' });
  });
});

describe('a gateway without a key for webhooks', () => {
  it('makes none, and removes those there are', async () => {
    const { webhookId } = await create();
    const replica = await gateway.startReplica({ LATCHKEY_WEBHOOK_KEY: '' });
    const there = (method: string, path: string, body?: unknown): Promise<Response> => gateway.call(method, path, { body, key: mine, replica });
    expect(await refusalOf(await there('POST', '/v1/webhooks', { url }))).toMatchObject({ status: 501, code: 'webhooks-off' });
    expect(await refusalOf(await there('POST', `/v1/webhooks/${webhookId}/secret`))).toMatchObject({ status: 501, code: 'webhooks-off' });
    expect((await there('DELETE', `/v1/webhooks/${webhookId}`)).status).toBe(204);
    await gateway.stopReplica(replica);
  });
});
