import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { Client } from 'pg';
import { hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(240_000);

let provider: Server;
let latchkey: Standalone;
let merchant: Merchant;
/** The device that has redeemed whatever token. */
const deviceId = hex();
/** Tokens that were given, in their order. */
const given: string[] = [];
/** How a request for a device's token is answered. */
let answering: (response: ServerResponse) => void;

const giveToken = (response: ServerResponse): void => {
  given.push(`AQAAAB${given.length}`);
  response.end(JSON.stringify({ licenseAcquisitionUrl: 'https://licensing.example/', token: given.at(-1) }));
};

beforeAll(async () => {
  provider = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.method === 'GET') response.end(JSON.stringify([{ event_id: 1, deviceId }]));
      else if (new URLSearchParams(body).has('deviceId')) answering(response);
      else response.end(JSON.stringify({ licenseAcquisitionUrl: 'https://licensing.example/', token: 'dummy' }));
    })();
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const entry = { merchantId: 'default', kind: 'expressplay', drm: 'pr', url, customerAuthenticator: '201722,1ad8eed133edf43cbcc185f0236828ae' };
  latchkey = await startStandalone({ LATCHKEY_TOKEN_PROVIDERS: JSON.stringify([entry]) });
  merchant = await latchkey.merchant();
});
afterAll(async () => {
  await latchkey.remove();
  provider.closeAllConnections();
  provider.close();
});

/** A purchase of a cookie whose device is bound: its token is ordered at once. */
async function buy(): Promise<string> {
  const cookie = await merchant.cookie();
  await merchant.expect(201, '/v1/registration-tokens', { cookie });
  await eventually(() => merchant.expect(200, `/v1/cookies/${cookie}/device`), { timeoutMs: 40_000 });
  const { kid } = await merchant.contentKey();
  const purchaseId = `order-${hex()}`;
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film-42', kids: [kid], rights: { type: 'purchase' } });
  return purchaseId;
}

async function issuerDatabase(): Promise<Client> {
  const { tokenIssuerDatabaseUrl } = JSON.parse(await readFile(join(latchkey.dataDir, 'connection.json'), 'utf8')) as { tokenIssuerDatabaseUrl: string };
  const client = new Client({ connectionString: tokenIssuerDatabaseUrl });
  // Its server may be stopped by whoever starts again on the data directory.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function expectOneToken(purchaseId: string): Promise<void> {
  const { token } = await merchant.token(purchaseId, 30);
  expect(token).toBe(given.at(-1));
  const client = await issuerDatabase();
  const { rows } = await client.query('select token from tokens where purchase_id = $1', [purchaseId]);
  const orders = await client.query('select 1 from upstream_orders');
  await client.end();
  expect([rows, orders.rows]).toEqual([[{ token }], []]);
  expect((await merchant.token(purchaseId)).token).toBe(token);
}

describe('a process that is killed while it has a token from elsewhere on its way', () => {
  it('before the provider answers: the purchase has one token in the end', async () => {
    const held = new Promise<ServerResponse>((resolve) => (answering = resolve));
    const purchaseId = await buy();
    const response = await held;
    answering = giveToken;
    await latchkey.process.kill('SIGKILL');
    giveToken(response);
    await latchkey.restart();
    await expectOneToken(purchaseId);
    expect(given).toHaveLength(2);
  });

  it('between the answer and the commit: the purchase has one token in the end', async () => {
    answering = giveToken;
    const before = given.length;
    const client = await issuerDatabase();
    await client.query('begin');
    await client.query('lock table tokens in share mode');
    const purchaseId = await buy();
    await eventually(async () => {
      const { rows } = await client.query(`select 1 from pg_locks where relation = 'tokens'::regclass and not granted`);
      expect(rows).toHaveLength(1);
    });
    expect(given).toHaveLength(before + 1);
    await latchkey.process.kill('SIGKILL');
    await client.query('rollback').finally(() => client.end());
    await latchkey.restart();
    await expectOneToken(purchaseId);
    expect(given).toHaveLength(before + 2);
  });
});
