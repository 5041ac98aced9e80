import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isErrorCode, Problem, requests } from '@latchkey/contracts';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';
import { type DocumentedSchema, spoilt } from './spoilt-values.js';

interface DocumentedCall {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: 'path' | 'query' | 'header' }[];
  readonly requestBody?: { readonly required: boolean; readonly content: { readonly 'application/json': { readonly schema: DocumentedSchema } } };
  readonly responses: Readonly<Record<string, { readonly content?: { readonly 'application/problem+json'?: { readonly schema: { readonly allOf: readonly [unknown, { readonly properties: { readonly code: { readonly enum: readonly string[] } } }] } } } }>>;
}

const gateway = new GatewayUnderTest();
const { neighbours } = gateway;
let calls: readonly DocumentedCall[];
let schemas: Readonly<Record<string, DocumentedSchema>>;

beforeAll(async () => {
  await gateway.start();
  const document = (await (await gateway.call('GET', '/openapi.json')).json()) as { paths: Record<string, Record<string, DocumentedCall>>; components: { schemas: typeof schemas } };
  schemas = document.components.schemas;
  calls = Object.entries(document.paths)
    .flatMap(([path, item]) => Object.entries(item).map(([method, call]) => ({ ...call, path, method: method.toUpperCase() })))
    .filter(({ operationId, security }) => operationId !== undefined && JSON.stringify(security).includes('apiKey'));
});
afterAll(() => gateway.stop());

/** Every neighbour refuses in a way of its own: what gets as far as that was taken for a good call. */
const TAKEN = { status: 422, code: 'idempotency-key-differs' };
beforeEach(() => {
  neighbours.reset();
  for (const contract of Object.values(requests)) if (typeof contract === 'object' && 'service' in contract) neighbours.refuse(contract, new Problem(TAKEN.code as never));
});

const kid = '0123456789abcdef0123456789abcdef';
const at = '2026-11-23T12:00:00Z';
const rental = { type: 'rental', availableFrom: at, availableUntil: '2027-11-23T12:00:00Z', playDurationSeconds: 60 };
const purchase = { cookie: 'biscuit', deviceId: 'device', contentId: 'film', kids: [kid], rights: rental };

/** A good body of each call that takes one, with every member that there is. */
const goodBodies: Readonly<Record<string, object>> = {
  createCookie: { accountId: 'alice', ttlSeconds: 60 },
  createRegistrationToken: { cookie: 'biscuit', deviceId: 'device' },
  storeContentKey: { key: 'f'.repeat(32), contentId: 'film' },
  createPurchase: { ...purchase, purchaseId: 'order-1', completedAt: at },
  createRefund: { reason: 'asked for' },
  createRevocation: { reason: 'stolen' },
  createToken: { ...purchase, keys: { [kid]: 'f'.repeat(32) }, ttlSeconds: 60 },
  verifyLicense: { token: 'a.b.c', deviceId: kid, drm: 'playready', kids: [kid], confidence: 'hardware' },
  createWebhook: { url: 'https://shop.invalid/hook', eventTypes: ['token.issued.v1'], description: 'the shop' },
};
/** Calls that the gateway answers by itself: what is taken changes what the merchant has. */
const madeHere = new Set(['createWebhook']);
const goodPaths: Readonly<Record<string, string>> = { cookie: 'biscuit', kid, purchaseId: 'order-1', accountId: 'alice', deviceId: 'device', webhookId: 'wh_1', deliveryId: 'msg_1' };

const pathOf = ({ path }: DocumentedCall, change: Readonly<Record<string, string>> = {}): string =>
  path.replace(/\{([^}]+)\}/g, (_, name: string) => change[name] ?? goodPaths[name] ?? `no example of ${name}`);
const withBodies = (): DocumentedCall[] => calls.filter(({ requestBody }) => requestBody !== undefined);

/** What is wrong with an answer to a malformed call; undefined where it is a documented refusal that no neighbour was asked for. */
async function faultOf(call: DocumentedCall, response: Response): Promise<string | undefined> {
  if (madeHere.has(call.operationId) && response.ok) return `taken for good: ${await response.text()}`;
  const refusal = await refusalOf(response);
  const documented = call.responses[response.status]?.content?.['application/problem+json']?.schema.allOf[1].properties.code.enum ?? [];
  if (neighbours.asked.splice(0).length > 0) return `taken for good: ${JSON.stringify(refusal)}`;
  if (![400, 413, 415].includes(response.status) || !documented.includes(String(refusal.code))) return `answered with ${JSON.stringify(refusal)}`;
  return undefined;
}

const send = (call: DocumentedCall, body: unknown, headers: Record<string, string> = {}): Promise<Response> => gateway.call(call.method, pathOf(call), { body, headers });

describe('every call that takes a body', () => {
  it('has a good one here, and takes it', async () => {
    expect(withBodies().map(({ operationId }) => operationId).sort()).toEqual(Object.keys(goodBodies).sort());
    for (const call of withBodies()) {
      const answer = await send(call, goodBodies[call.operationId]);
      if (madeHere.has(call.operationId)) {
        expect([call.operationId, answer.status]).toEqual([call.operationId, 201]);
        continue;
      }
      expect([call.operationId, await refusalOf(answer)]).toEqual([call.operationId, TAKEN]);
      if (call.requestBody!.required) continue;
      expect([call.operationId, await refusalOf(await send(call, {}))]).toEqual([call.operationId, call.operationId === 'createRegistrationToken' ? expect.anything() : TAKEN]);
    }
  });

  it('refuses one that is wrong in one member', async () => {
    const faults: string[] = [];
    let tried = 0;
    for (const call of withBodies()) {
      const resolve = (reference: string): DocumentedSchema => schemas[reference.replace('#/components/schemas/', '')]!;
      const variants = spoilt(call.requestBody!.content['application/json'].schema, goodBodies[call.operationId], resolve);
      tried += variants.length;
      for (const { what, value } of variants) {
        const fault = await faultOf(call, await send(call, JSON.stringify(value)));
        if (fault !== undefined) faults.push(`${call.operationId}: ${what}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThan(400);
  });

  const spoiltTexts: [string, (good: string) => string | Uint8Array, Record<string, string>?][] = [
    ['that is cut off', (good) => good.slice(0, -1)],
    ['with something behind it', (good) => `${good}{}`],
    ['that is null', () => 'null'],
    ['that is NaN', () => 'NaN'],
    ['in single quotes', (good) => good.replaceAll('"', "'")],
    ['of NUL alone', () => '\0\0\0'],
    ['that is not UTF-8', (good) => Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])],
    ['in UTF-16', (good) => Buffer.from(good, 'utf16le')],
    ['with two byte order marks', (good) => `\ufeff\ufeff${good}`],
    ['whose members stand twice', (good) => `{${good.slice(1, -1)},${good.slice(1, -1)}}`],
    ['of 64 KiB and a byte', (good) => good.padEnd(65_537)],
    ['nested 10,000 deep', () => '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['as text', (good) => good, { 'content-type': 'text/plain' }],
    ['as a form', () => 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['as XML', () => '<a/>', { 'content-type': 'application/xml' }],
    ['of no media type that there is', (good) => good, { 'content-type': '/;' }],
    ['in gzip', (good) => good, { 'content-encoding': 'gzip' }],
  ];
  it.each(spoiltTexts.map(([what, spoil, headers = {}]) => [what, spoil, headers] as const))('refuses one %s', async (_, spoil, headers) => {
    for (const call of withBodies()) {
      const fault = await faultOf(call, await send(call, spoil(JSON.stringify(goodBodies[call.operationId])), headers));
      expect([call.operationId, fault]).toEqual([call.operationId, undefined]);
    }
  });

  it('refuses none at all where it needs one', async () => {
    for (const call of withBodies().filter(({ requestBody }) => requestBody!.required)) {
      for (const body of [undefined, '']) expect([call.operationId, await faultOf(call, await send(call, body))]).toEqual([call.operationId, undefined]);
    }
  });
});

describe('every call', () => {
  it('refuses a query member that it does not know', async () => {
    for (const call of calls) {
      for (const query of ['colour=red', '=', '__proto__=x', 'cookie[]=x', '%00=%00', '\ud800']) {
        const refusal = await refusalOf(await gateway.call(call.method, `${pathOf(call)}?${query}`, { body: goodBodies[call.operationId] }));
        expect([call.operationId, query, refusal]).toEqual([call.operationId, query, expect.objectContaining({ status: 400, code: 'unknown-member' })]);
      }
    }
    expect(neighbours.asked).toEqual([]);
  });

  it('refuses what no path, query or header parameter may be, and never fails over it', async () => {
    const values = ['', ' ', 'a b', 'x'.repeat(129), 'x'.repeat(600), '%00', '%ff', '%zz', '%', '%ED%A0%80', '..%2F..', '\u00e4', 'a\tb', '%F0%9F%98%80'];
    for (const call of calls) {
      for (const { name, in: place } of call.parameters ?? []) {
        for (const value of values) {
          const given = {
            path: place === 'path' ? pathOf(call, { [name]: value }) : `${pathOf(call)}${place === 'query' ? `?${name}=${value}` : ''}`,
            headers: place === 'header' ? { [name]: value } : {},
          };
          const { status, body } = await sendRaw(call.method, given.path, given.headers);
          const { code } = JSON.parse(body) as { code: string };
          const what = `${call.operationId} ${place} ${name}=${JSON.stringify(value)}`;
          expect([what, [400, 404, 422].includes(status), isErrorCode(code)]).toEqual([what, true, true]);
          // A device id may be nearly anything that is visible, and a cookie may hold dots and slashes; everything else is refused here.
          const mayBe = name === 'deviceId' || (name === 'cookie' && value === '..%2F..');
          if (!mayBe && neighbours.asked.length > 0) expect([what, neighbours.asked]).toEqual([what, []]);
          neighbours.asked.length = 0;
        }
      }
    }
  });
});

/** Sends a path and headers byte for byte, which HTTP clients would first put in order or refuse. */
async function sendRaw(method: string, path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(gateway.replica.url!);
  const lines = Object.entries({ host: hostname, connection: 'close', authorization: `Bearer ${gateway.key}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const socket = connect(Number(port), hostname);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const answer = await text(socket);
  return { status: Number(answer.split(' ', 2)[1]), body: answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1) };
}
