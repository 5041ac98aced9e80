import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type ExpressPlayEndpoint, expressPlayEndpoints } from '@latchkey/contracts';
import { authenticatorOf, generateApiKey, parseApiKey } from '@latchkey/crypto';
import { hex } from './merchant.js';
import { allScopes, MerchantKeys } from './merchant-keys.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(240_000);

let standalone: Standalone;
let keys: MerchantKeys;
let ownerKey: string;
const own = { cookie: hex(), deviceId: hex(), kid: hex(), key: hex(), contentId: `film-${hex()}`, token: '', kek: hex() };
const storedKid = hex();

interface Example {
  readonly parameters?: () => Record<string, string>;
  readonly body?: () => Record<string, unknown>;
  /** What the owner is answered, and what another merchant is: `<status>` or `<status> <code>`. */
  readonly answer: string;
  readonly foreign: string;
}

const sale = (drm: Record<string, string>) => (): Record<string, string> => ({ kid: own.kid, contentKey: own.key, cookie: own.cookie, deviceId: own.deviceId, ...drm });
const redemption = (): Record<string, string> => ({ ExpressPlayToken: own.token, deviceId: own.deviceId });

/** How each endpoint is called rightly with what belongs to the owner, by its path and method. The last two end what the others need, and begin it anew. */
const examples: Readonly<Record<string, Example>> = {
  // A cookie is the merchant's own word: the same one of another merchant is another cookie, with which nothing has registered.
  '/hms/wv/token': { parameters: sale({ securityLevel: '1', hdcpOutputControl: '0' }), answer: '200', foreign: '400 -2033' },
  '/hms/pr/token': { parameters: sale({ rightsType: 'BuyToOwn' }), answer: '200', foreign: '400 -2033' },
  '/hms/fp/token': { parameters: () => ({ ...sale({ iv: hex() })(), deviceId: `${own.deviceId}01234567` }), answer: '400 -5005', foreign: '400 -2033' },
  '/hms/wv/rights': { parameters: redemption, answer: '200', foreign: '400 -4010' },
  '/hms/pr/rights': { parameters: redemption, answer: '200', foreign: '400 -4010' },
  '/hms/fp/rights': { parameters: () => ({ ExpressPlayToken: own.token, deviceId: `${own.deviceId}01234567` }), answer: '400 -5005', foreign: '400 -4010' },
  '/cmiapi/getrecord': { parameters: () => ({ cookie: own.cookie }), answer: '200', foreign: '200' },
  'GET /keystore/keys': { answer: '200', foreign: '200' },
  'GET /keystore/keys/{kid}': { answer: '200', foreign: '404 -9404' },
  'PUT /keystore/keys/{kid}': { body: () => ({ info: 'mine' }), answer: '200', foreign: '404 -9404' },
  '/sees/SEESServlet': { body: () => ({ messageID: crypto.randomUUID(), version: 1, contentID: own.contentId, customerCookie: own.cookie }), answer: '200', foreign: '200' },
  'DELETE /keystore/keys/{kid}': { answer: '200', foreign: '404 -9404' },
  'POST /keystore/keys': { parameters: () => ({ kek: own.kek }), body: () => ({ kid: storedKid }), answer: '201', foreign: '201' },
};

interface Way {
  readonly name: string;
  readonly endpoint: ExpressPlayEndpoint;
  readonly method: string;
  readonly example: Example | undefined;
}
const byName = new Map(Object.keys(examples).map((name, index) => [name, index]));
const ways: readonly Way[] = expressPlayEndpoints
  .flatMap((endpoint) => endpoint.methods.map((method) => ({ endpoint, method, name: Object.hasOwn(examples, endpoint.path) ? endpoint.path : `${method} ${endpoint.path}` })))
  .map((way) => ({ ...way, example: examples[way.name] }))
  .sort((one, other) => (byName.get(one.name) ?? 0) - (byName.get(other.name) ?? 0));

async function call({ endpoint, method, example }: Way, credentials: { authenticator?: string; headers?: Record<string, string> }): Promise<string> {
  const parameters = new URLSearchParams({ errorFormat: 'json', ...(credentials.authenticator === undefined ? {} : { customerAuthenticator: credentials.authenticator }), ...example?.parameters?.() });
  const form = endpoint.body === 'form' && method === 'POST';
  const path = endpoint.path.replace('{kid}', storedKid);
  const response = await fetch(`${standalone.origin}${path}${form ? '' : `?${parameters.toString()}`}`, {
    method,
    headers: { ...credentials.headers, ...(endpoint.body === 'json' ? { 'content-type': 'application/json' } : {}) },
    ...(form ? { body: parameters } : endpoint.body === 'json' ? { body: JSON.stringify(example?.body?.() ?? {}) } : {}),
  });
  const text = await response.text();
  if (response.ok) return String(response.status);
  // A form that was not read yet cannot say how it wants to be refused.
  if (response.headers.get('content-type')?.startsWith('text/html')) return `${response.status} ${/<title>Error (-\d+)</.exec(text)?.[1]}`;
  return `${response.status} ${(JSON.parse(text) as { errorCode: number }).errorCode}`;
}

async function answers(asked: readonly Way[], credentials: (way: Way) => Parameters<typeof call>[1]): Promise<string[]> {
  const found: string[] = [];
  for (const way of asked) found.push(`${way.method} ${way.endpoint.path}: ${await call(way, credentials(way))}`);
  return found;
}
const expected = (answerOf: (way: Way) => string | undefined): string[] => ways.map((way) => `${way.method} ${way.endpoint.path}: ${answerOf(way)}`);

beforeAll(async () => {
  standalone = await startStandalone({ LATCHKEY_FAILED_LOOKUPS_BURST: '1000000', LATCHKEY_EXPRESSPLAY_BINDING: 'pr,wv,fp' });
  keys = await MerchantKeys.open(standalone.dataDir);
  const merchant = await standalone.merchant();
  ownerKey = merchant.apiKey;
  const ask = async (path: string, parameters: Record<string, string>): Promise<Record<string, unknown>> => {
    const query = new URLSearchParams({ customerAuthenticator: authenticatorOf(ownerKey), ...parameters });
    return (await (await fetch(`${standalone.origin}${path}?${query.toString()}`)).json()) as Record<string, unknown>;
  };
  const { deviceId: _, ...dummy } = sale({ rightsType: 'BuyToOwn' })();
  await ask('/hms/pr/rights/', { ExpressPlayToken: (await ask('/hms/pr/token', dummy))['token'] as string, deviceId: own.deviceId });
  own.token = (await ask('/hms/pr/token', { ...sale({ rightsType: 'BuyToOwn' })(), contentId: own.contentId }))['token'] as string;
  await merchant.expect(202, '/v1/purchases', { purchaseId: `order-${hex()}`, cookie: own.cookie, contentId: own.contentId, kids: [own.kid], rights: { type: 'purchase' } });
  await fetch(`${standalone.origin}/keystore/keys?kek=${own.kek}`, { method: 'POST', headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ kid: storedKid }) });
});
afterAll(async () => {
  await keys.close();
  await standalone.remove();
});

describe('the endpoints of the ExpressPlay-shaped surface', () => {
  it('have an example each, so that a new one is called with all of what follows', () => {
    expect(ways.filter(({ example }) => example === undefined)).toEqual([]);
    expect([...new Set(ways.map(({ name }) => name))].sort()).toEqual(Object.keys(examples).sort());
  });

  const ago = new Date(Date.now() - 1_000);
  it.each<[string, number, () => Promise<Parameters<typeof call>[1]>]>([
    ['no authenticator', -2017, async () => ({})],
    ['an empty one', -2017, async () => ({ authenticator: '' })],
    ['something else than one', -2017, async () => ({ authenticator: 'secret' })],
    ['an API key in its place', -2017, async () => ({ authenticator: ownerKey })],
    ['a malformed one', -2017, async () => ({ authenticator: `${authenticatorOf(ownerKey)}0` })],
    ['another secret of a key', -2018, async () => ({ authenticator: authenticatorOf(generateApiKey('test', parseApiKey(ownerKey)!.keyId)) })],
    ['a key id that nobody has', -2018, async () => ({ authenticator: authenticatorOf(generateApiKey('test')) })],
    ['that of a revoked key', -2018, async () => ({ authenticator: authenticatorOf(await keys.make('default', allScopes, { revokedAt: ago })) })],
    ['that of an expired key', -2018, async () => ({ authenticator: authenticatorOf(await keys.make('default', allScopes, { expiresAt: ago })) })],
    ['a good key in another scheme', -2017, async () => ({ headers: { authorization: `Basic ${ownerKey}` } })],
    ['a wrong key as Bearer', -2018, async () => ({ headers: { authorization: `Bearer ${ownerKey}x` } })],
    ['two that differ', -2018, async () => ({ headers: { authorization: `Bearer ${ownerKey}` }, authenticator: authenticatorOf(await keys.make('default')) })],
  ])('are 401 with %s', async (_, code, make) => {
    const credentials = await make();
    expect(await answers(ways, () => credentials)).toEqual(expected(() => `401 ${code}`));
  });

  it('are 403 with every scope but the one that they need', async () => {
    const keyBut = new Map<string, string>();
    for (const { endpoint } of ways) keyBut.set(endpoint.scope, authenticatorOf(await keys.make('default', allScopes.filter((scope) => scope !== endpoint.scope))));
    expect(await answers(ways, ({ endpoint }) => ({ authenticator: keyBut.get(endpoint.scope)! }))).toEqual(expected(() => '403 -2018'));
  });

  it('show nothing that belongs to another merchant, and change nothing', async () => {
    const stranger = authenticatorOf(await keys.make('stranger'));
    expect(await answers(ways, () => ({ authenticator: stranger }))).toEqual(expected(({ example }) => example?.foreign));
    const records = await fetch(`${standalone.origin}/cmiapi/getrecord/?customerAuthenticator=${stranger}`);
    expect(await records.json()).toEqual({ records: [] });
  });

  it('answer their owner, who may say who calls in either way', async () => {
    expect(await answers(ways.slice(0, -2), () => ({ headers: { authorization: `Bearer ${ownerKey}` } }))).toEqual(expected(({ example }) => example?.answer).slice(0, -2));
    expect(await answers(ways, () => ({ authenticator: authenticatorOf(ownerKey) }))).toEqual(expected(({ example }) => example?.answer));
  });
});
