import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateApiKey } from '@latchkey/crypto';
import { GatewayUnderTest } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
let withoutScope: string;
beforeAll(async () => {
  await gateway.start();
  withoutScope = await gateway.makeKey('default', ['devices']);
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.neighbours.reset());

const bodies: [string, string | Uint8Array, Record<string, string>][] = [
  ['malformed JSON', '{"accountId":', {}],
  ['bytes that are no text', new Uint8Array([0x7b, 0xff]), {}],
  ['64 KiB and a byte', '{}'.padEnd(65_537), {}],
  ['another media type', 'accountId=alice', { 'content-type': 'text/plain' }],
  ['a content coding', '{}', { 'content-encoding': 'gzip' }],
  ['a member that nobody knows', '{"colour":"red"}', {}],
];

describe.each(bodies)('a call with %s', (_, body, headers) => {
  const codeOf = async (key: string | null): Promise<unknown> => {
    const response = await gateway.call('POST', '/v1/cookies?x=1', { key, body, headers });
    return ((await response.json()) as { code: unknown }).code;
  };

  it('is 401 and 403 before it is anything else', async () => {
    expect(await codeOf(null)).toBe('unauthenticated');
    expect(await codeOf(generateApiKey('test'))).toBe('unauthenticated');
    expect(await codeOf(withoutScope)).toBe('forbidden');
    expect(['unauthenticated', 'forbidden']).not.toContain(await codeOf(gateway.key));
  });
});

describe('a call whose body has not come yet', () => {
  it('is answered already where it has no key', async () => {
    const { hostname, port } = new URL(gateway.replica.url!);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request({ hostname, port, method: 'POST', path: '/v1/cookies', headers: { 'content-type': 'application/json', 'content-length': '20' } }, (answer) => {
        resolve(answer.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      call.flushHeaders();
    });
    expect(status).toBe(401);
  });
});

describe('two Authorization headers', () => {
  it.each([
    ['that differ', [generateApiKey('test'), '']],
    ['that are the same', ['', '']],
  ])('%s are nobody’s, though one of them is right', async (_case, keys) => {
    const { hostname, port } = new URL(gateway.replica.url!);
    const authorization = keys.map((key) => `Bearer ${key || gateway.key}`);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ hostname, port, path: '/v1/merchant', headers: { authorization } as never }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(401);
  });
});
