import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { generateApiKey, parseApiKey } from '@latchkey/crypto';
import { eventually } from '@latchkey/kits';
import { accessExamples, type Belongings, belongingsOf } from './access-examples.js';
import { type DocumentedOperation, documentedOperations } from './documented-operations.js';
import { Merchant } from './merchant.js';
import { allScopes, MerchantKeys } from './merchant-keys.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(240_000);

let standalone: Standalone;
let keys: MerchantKeys;
let owner: Merchant;
let own: Belongings;
let operations: readonly DocumentedOperation[];

beforeAll(async () => {
  standalone = await startStandalone({ LATCHKEY_FAILED_LOOKUPS_BURST: '1000000' });
  keys = await MerchantKeys.open(standalone.dataDir);
  owner = await standalone.merchant();
  own = await belongingsOf(owner);
  operations = await documentedOperations(standalone.origin);
});
afterAll(async () => {
  await keys.close();
  await standalone.remove();
});

type Kind = DocumentedOperation['callers']['kind'];
const of = (kind: Kind): DocumentedOperation[] => operations.filter(({ callers }) => callers.kind === kind);

/** Calls an operation rightly in all but its credentials; answers `<status>` or `<status> <code>`. */
async function call(operation: DocumentedOperation, headers: Record<string, string>): Promise<string> {
  const { path, body } = accessExamples[operation.id] ?? {};
  const given = body?.(own);
  const response = await fetch(standalone.origin + (path?.(own) ?? operation.path), {
    method: operation.method,
    headers: { ...headers, ...(given && { 'content-type': 'application/json' }) },
    ...(given && { body: JSON.stringify(given) }),
  });
  if (response.ok) {
    await response.body?.cancel();
    return String(response.status);
  }
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return `${response.status} ${String(((await response.json()) as { code: unknown }).code)}`;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** What each of these operations answers, by its id. */
async function answers(asked: readonly DocumentedOperation[], headersOf: (operation: DocumentedOperation) => Promise<Record<string, string>>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const operation of asked) found[operation.id] = await call(operation, await headersOf(operation));
  return found;
}
const same = (asked: readonly DocumentedOperation[], answer: string): Record<string, string> => Object.fromEntries(asked.map(({ id }) => [id, answer]));

describe('the operations of the served OpenAPI document', () => {
  it('have an example each, so that a new one is called with all of what follows', () => {
    expect(of('key').map(({ id }) => id).sort()).toEqual(Object.keys(accessExamples).sort());
    expect(of('device').map(({ id }) => id)).toEqual(['createLicense', 'showDeviceTokens']);
  });

  it('are open to everybody where that is meant, and nowhere else', async () => {
    expect(of('everybody').map(({ id }) => id)).toEqual(['showJwks']);
    expect(await answers(of('everybody'), async () => ({}))).toEqual({ showJwks: '200' });
  });

  const ago = new Date(Date.now() - 1_000);
  it.each<[string, () => Promise<Record<string, string>>]>([
    ['no key', async () => ({})],
    ['an empty key', async () => ({ authorization: 'Bearer ' })],
    ['something else than a key', async () => bearer('secret')],
    ['a malformed key', async () => bearer(`${owner.apiKey}x`)],
    ['another secret of a key', async () => bearer(generateApiKey('test', parseApiKey(owner.apiKey)!.keyId))],
    ['a key id that nobody has', async () => bearer(generateApiKey('test'))],
    ['a revoked key', async () => bearer(await keys.make('default', allScopes, { revokedAt: ago }))],
    ['an expired key', async () => bearer(await keys.make('default', allScopes, { expiresAt: ago }))],
    ['a good key in another scheme', async () => ({ authorization: `Basic ${owner.apiKey}` })],
    ['a good key in another header', async () => ({ 'x-api-key': owner.apiKey })],
  ])('are 401 with %s', async (_, makeHeaders) => {
    const headers = await makeHeaders();
    expect(await answers(of('key'), async () => headers)).toEqual(same(of('key'), '401 unauthenticated'));
  });

  it('are 401 to who has no token, and to who has a merchant’s key instead', async () => {
    expect(await answers(of('device'), async () => ({}))).toEqual(same(of('device'), '401 unauthenticated'));
    for (const [id, answer] of Object.entries(await answers(of('device'), async () => bearer(owner.apiKey)))) expect([id, answer]).toEqual([id, expect.stringMatching(/^401 /)]);
  });

  it('are 403 with every scope but the one that they need, and need no other', async () => {
    const scoped = of('key').filter(({ callers }) => callers.kind === 'key' && callers.scope !== undefined);
    const scopeOf = ({ callers }: DocumentedOperation): string => (callers.kind === 'key' ? callers.scope! : '');
    const keyBut = new Map<string, string>();
    for (const scope of new Set(scoped.map(scopeOf))) keyBut.set(scope, await keys.make('default', allScopes.filter((each) => each !== scope)));
    expect(await answers(scoped, async (operation) => bearer(keyBut.get(scopeOf(operation))!))).toEqual(same(scoped, '403 forbidden'));
    const without = await keys.make('default', []);
    const unscoped = of('key').filter((operation) => !scoped.includes(operation));
    expect(await answers(unscoped, async () => bearer(without))).toEqual({ showMerchant: '200', streamEvents: '200' });
  });

  it('show nothing that belongs to another merchant, and change nothing', async () => {
    const stranger = await keys.make('stranger');
    const expected = Object.fromEntries(Object.entries(accessExamples).map(([id, { foreign }]) => [id, foreign]));
    expect(await answers(of('key'), async () => bearer(stranger))).toEqual(expected);
    const read = async (path: string): Promise<unknown> => (await new Merchant(standalone.origin, stranger).call(path)).body;
    expect(await read('/v1/accounts/alice/devices')).toEqual({ devices: [] });
    const { webhooks } = (await read('/v1/webhooks')) as { webhooks: { webhookId: string }[] };
    expect(webhooks.map(({ webhookId }) => webhookId)).not.toContain(own.webhookId);
    expect(await read('/v1/merchant')).toMatchObject({ merchantId: 'stranger' });
    expect(await owner.expect(200, `/v1/purchases/${own.purchaseId}`)).toMatchObject({ state: 'issued' });
    expect(await owner.expect(200, `/v1/webhooks/${own.webhookId}`)).not.toHaveProperty('previousSecretUntil');
    expect(await owner.expect(200, `/v1/cookies/${own.cookie}/device`)).toMatchObject({ deviceId: own.deviceId, state: 'active' });
  });

  it('tell a merchant of its own events alone', async () => {
    const newcomer = new Merchant(standalone.origin, await keys.make('newcomer'));
    const controller = new AbortController();
    const stream = await fetch(`${standalone.origin}/v1/events`, { headers: { ...bearer(newcomer.apiKey), 'last-event-id': '0' }, signal: controller.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream.body!) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    const { purchaseId } = await belongingsOf(newcomer);
    await eventually(() => expect(text).toMatch(new RegExp(`token\\.issued\\.v1\\ndata: .*${purchaseId}`)));
    controller.abort();
    await reading;
    const merchants = [...text.matchAll(/"merchantId":"([^"]*)"/g)].map(([, merchantId]) => merchantId);
    expect(new Set(merchants)).toEqual(new Set(['newcomer']));
  });

  it('answer their owner', async () => {
    const inOrder = Object.keys(accessExamples).map((id) => operations.find((operation) => operation.id === id)!);
    const expected = Object.fromEntries(Object.entries(accessExamples).map(([id, { answer }]) => [id, answer]));
    expect(await answers(inOrder, async () => bearer(owner.apiKey))).toEqual(expected);
  });
});

describe('what is served beside the documented operations', () => {
  it.each(['/health/live', '/health/ready', '/metrics', '/openapi.json', '/asyncapi.yaml', '/docs'])('is open to everybody: %s', async (path) => {
    const response = await fetch(standalone.origin + path);
    await response.body?.cancel();
    expect(response.status).toBe(200);
  });
});
