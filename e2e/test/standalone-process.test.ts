import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, FakeDevice, startProcess } from '@latchkey/kits';
import { hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

describe('the standalone process', () => {
  let standalone: Standalone;
  let merchant: Merchant;

  beforeAll(async () => {
    standalone = await startStandalone();
    merchant = await standalone.merchant();
  });
  afterAll(() => standalone.remove());

  it('says where things are, in a screenful without a secret in it', async () => {
    // It looks now and then whether it is ready, and says so after others may have seen it.
    await eventually(() => expect(standalone.process.stdout()).toContain('npm run demo'), { timeoutMs: 30_000 });
    const said = standalone.process.stdout();
    expect(said).toContain(standalone.origin);
    expect(said.split('\n').length).toBeLessThan(25);
    expect(said).not.toContain(merchant.apiKey);
  });

  it('keeps its secrets for its owner alone', async () => {
    for (const file of ['secrets/api-key', 'secrets/kek', 'connection.json']) {
      expect((await stat(join(standalone.dataDir, file))).mode & 0o077).toBe(0);
    }
    expect(merchant.apiKey).toMatch(/^lk_[a-z]+_[A-Za-z0-9]{4,32}_[A-Za-z0-9_-]{43}$/);
  });

  it('refuses a second process on its data directory, and on its port', async () => {
    const second = (environment: Record<string, string>) => startProcess({ entry: 'apps/standalone/src/main.ts', env: environment });
    const sameDirectory = await second({ LATCHKEY_DATA_DIR: standalone.dataDir, LATCHKEY_PORT: '0' });
    expect((await sameDirectory.ended).exitCode).toBe(75);
    expect(sameDirectory.stderr()).toContain(standalone.dataDir);
    const samePort = await second({ LATCHKEY_DATA_DIR: join(standalone.dataDir, 'other'), LATCHKEY_PORT: new URL(standalone.origin).port });
    expect((await samePort.ended).exitCode).toBe(1);
    expect(samePort.stderr()).toContain('LATCHKEY_PORT');
    expect((await merchant.call('/v1/merchant')).status).toBe(200);
  });

  it('does not start with a wrong configuration, and lists everything that is wrong', async () => {
    const wrong = await startProcess({
      entry: 'apps/standalone/src/main.ts',
      env: { LATCHKEY_DATA_DIR: join(standalone.dataDir, 'wrong'), LATCHKEY_PORT: '0', LATCHKEY_KEK: 'k1:c2hvcnQ=', LATCHKEY_BOOTSTRAP_API_KEY: 'secret-but-wrong', LATCHKEY_LICENSE_URL: 'nowhere', LATCHKEY_LOG_LEVEL: 'loud' },
    });
    expect((await wrong.ended).exitCode).toBe(78);
    for (const name of ['LATCHKEY_KEK', 'LATCHKEY_BOOTSTRAP_API_KEY', 'LATCHKEY_LICENSE_URL', 'LATCHKEY_LOG_LEVEL']) expect(wrong.stderr()).toContain(name);
    for (const value of ['c2hvcnQ=', 'secret-but-wrong']) expect(wrong.stderr()).not.toContain(value);
  });

  it('loses nothing that it accepted when it is killed, over and over', async () => {
    const cookies: { cookie: string; device: FakeDevice }[] = [];
    for (let n = 0; n < 4; n += 1) cookies.push({ cookie: await merchant.cookie(`account-${n}`), device: new FakeDevice() });
    const { kid } = await merchant.contentKey();
    const accepted: string[] = [];
    for (const [round, { cookie, device }] of cookies.entries()) {
      const buying = (async () => {
        for (let n = 0; n < 40; n += 1) {
          const purchaseId = `killed-${round}-${n}-${hex()}`;
          const answer = await merchant.call('/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } });
          if (answer.status === 202) accepted.push(purchaseId);
        }
      })().catch(() => undefined);
      const registering = merchant.register(device, cookie).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 60 + 80 * round));
      await standalone.process.kill('SIGKILL');
      await Promise.all([buying, registering]);
      await standalone.restart();
      await eventually(async () => expect([200, 409]).toContain(await merchant.register(device, cookie).catch(() => 409)));
    }
    expect(accepted.length).toBeGreaterThan(0);
    for (const purchaseId of accepted) {
      const { tokenId } = await merchant.token(purchaseId);
      expect(await merchant.expect(200, `/v1/purchases/${purchaseId}`)).toMatchObject({ state: 'issued', tokenId });
    }
  });

  it('drains on SIGTERM and ends with 0, however often it is told, and is back with everything', async () => {
    const purchaseId = `before-${hex()}`;
    const { kid } = await merchant.contentKey();
    const cookie = await merchant.cookie();
    await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } });
    const waiting = merchant.call(`/v1/purchases/${purchaseId}/token?waitSeconds=30`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    void standalone.process.kill('SIGTERM');
    void standalone.process.kill('SIGTERM');
    expect(await standalone.process.stop()).toEqual({ exitCode: 0, signal: null });
    expect([404, 503]).toContain((await waiting).status);
    await standalone.restart();
    expect(await merchant.expect(200, `/v1/purchases/${purchaseId}`)).toMatchObject({ state: 'awaiting-device' });
  });

  it('answers the operator’s commands', async () => {
    const run = async (entry: string, ...args: string[]) => {
      const command = await startProcess({ entry, args, env: { LATCHKEY_DATA_DIR: standalone.dataDir } });
      return { ...(await command.ended), stdout: command.stdout(), stderr: command.stderr() };
    };
    const quarantine = await run('apps/standalone/src/quarantine/main.ts', 'list');
    expect(JSON.parse(quarantine.stdout)).toEqual({ quarantined: [] });
    expect((await run('apps/standalone/src/quarantine/main.ts', 'explode')).exitCode).toBe(64);
    expect((await run('apps/standalone/src/admin/main.ts', 'merchants', 'create', 'acme')).exitCode).toBe(0);
    const made = await run('apps/standalone/src/admin/main.ts', 'keys', 'create', 'acme', '--scopes', 'cookies');
    const acme = (JSON.parse(made.stdout) as { key: string }).key;
    const headers = { authorization: `Bearer ${acme}` };
    expect(await (await fetch(`${standalone.origin}/v1/merchant`, { headers })).json()).toEqual({ merchantId: 'acme', scopes: ['cookies'] });
    const rewrapped = await run('apps/standalone/src/admin/main.ts', 'content-keys', 'rewrap');
    expect(JSON.parse(rewrapped.stdout)).toEqual({ contentKeys: 0, signingKeys: 0, unreadable: 0, oldKeksNeeded: [] });
    const demo = await run('apps/standalone/src/demo/main.ts');
    expect([demo.exitCode, demo.stderr]).toEqual([0, '']);
    expect(demo.stdout).toMatch(/thief[\s\S]*401[\s\S]*refunded[\s\S]*401/);
    expect(await readFile(join(standalone.dataDir, 'latchkey.log'), 'utf8')).not.toContain(acme);
  });
});
