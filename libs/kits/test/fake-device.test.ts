import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeDevice } from '../src/index.js';

/** Wants the nonce `n-2` from the first request on, and notes what it was sent. */
describe('FakeDevice', () => {
  let server: Server;
  let licenseUrl: string;
  const heard: { nonce: unknown; body: string; authorization: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const claims = String(request.headers['dpop']).split('.')[1] ?? '';
        const { nonce } = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}') as { nonce?: string };
        heard.push({ nonce, body, authorization: request.headers.authorization });
        response.setHeader('DPoP-Nonce', 'n-2');
        if (nonce === 'n-2') {
          response.end('{"keys":[],"type":"temporary"}');
        } else {
          response.writeHead(401, { 'WWW-Authenticate': 'DPoP algs="ES256", error="use_dpop_nonce"' });
          response.end('{"code":"use-nonce"}');
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    licenseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/licenses`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    heard.length = 0;
  });

  it('tries again with the nonce it was given, and keeps it for next time', async () => {
    const device = new FakeDevice();
    const kid = '00112233445566778899aabbccddeeff';
    const first = await device.license({ licenseUrl, token: 't', kids: [kid] });
    await device.license({ licenseUrl, token: 't', kids: [kid] });
    expect(first).toMatchObject({ status: 200, body: { keys: [], type: 'temporary' } });
    expect(heard.map(({ nonce }) => nonce)).toEqual([undefined, 'n-2', 'n-2']);
    expect(heard[0]).toMatchObject({
      authorization: 'DPoP t',
      body: '{"kids":["ABEiM0RVZneImaq7zN3u_w"],"type":"temporary"}',
    });
  });

  it('tries once only when told what to send', async () => {
    const answer = await new FakeDevice().license({ licenseUrl, token: 't', nonce: 'old' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'use-nonce' } });
    expect(heard).toEqual([{ nonce: 'old', body: '', authorization: 'DPoP t' }]);
  });
});
