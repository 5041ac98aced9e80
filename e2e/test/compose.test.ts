import { execFile, execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { authenticatorOf } from '@latchkey/crypto';
import { describeWhere, eventually, freePort } from '@latchkey/kits';
import { hex, Merchant } from './merchant.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const services = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'];

function hasCompose(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describeWhere(hasCompose(), 'Docker with compose', 'docker compose up', () => {
  let environment: NodeJS.ProcessEnv;
  let merchant: Merchant;
  const compose = (...args: string[]) => run('docker', ['compose', ...args], { cwd: root, env: environment, maxBuffer: 64 * 1024 * 1024 });
  const demo = () => run(process.execPath, ['tools/launch.mjs', 'demo', '--compose'], { cwd: root, env: environment });

  beforeAll(async () => {
    const [gateway, license, amqp, management] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    environment = {
      ...process.env,
      // Jest's own options are none of the demo's.
      NODE_OPTIONS: '',
      COMPOSE_PROJECT_NAME: `latchkey-e2e-${hex().slice(0, 8)}`,
      GATEWAY_PORT: String(gateway),
      LICENSE_PORT: String(license),
      AMQP_PORT: String(amqp),
      RABBITMQ_MANAGEMENT_PORT: String(management),
      LATCHKEY_PUBLIC_URL: `http://127.0.0.1:${gateway}`,
      LATCHKEY_LICENSE_URL: `http://127.0.0.1:${license}/v1/licenses`,
    };
    await compose('up', '--build', '--wait', '--wait-timeout', '240', ...services.flatMap((service) => ['--scale', `${service}=2`]));
    const shown = JSON.parse((await compose('run', '--rm', '-T', 'secrets', 'show')).stdout) as { apiKey: string };
    merchant = new Merchant(`http://127.0.0.1:${gateway}`, shown.apiKey);
  }, 600_000);
  afterAll(() => compose('down', '--volumes', '--timeout', '15'), 120_000);

  it('plays the story with two replicas of everything, the purchase published to RabbitMQ', async () => {
    const { stdout } = await demo();
    expect(stdout).toMatch(/publishes purchase\.completed\.v1[\s\S]*accepted[\s\S]*thief[\s\S]*401/);
  }, 60_000);

  it('binds a device by ExpressPlay code, through its one address', async () => {
    const asMerchant = { ...environment, LATCHKEY_URL: merchant.gatewayUrl, CUSTOMER_AUTHENTICATOR: authenticatorOf(merchant.apiKey) };
    expect((await run(process.execPath, ['examples/expressplay-merchant.mjs'], { cwd: root, env: asMerchant })).stdout).toMatch(/^7\. /m);
  }, 60_000);

  it('runs every service as nobody in particular, on a file system that it cannot write', async () => {
    for (const service of services) {
      const { stdout } = await compose('exec', '-T', service, 'sh', '-c', 'id -u; touch /app/x 2>&1 || true; ls /run/secrets/latchkey');
      expect(stdout).toMatch(/^1000\n[\s\S]*Read-only file system[\s\S]*env\n$/);
    }
  }, 60_000);

  it('goes on when a replica of each service is killed', async () => {
    for (const service of services) {
      const { stdout } = await compose('ps', '-q', service);
      await run('docker', ['kill', stdout.split('\n')[0]!]);
    }
    await eventually(async () => expect((await merchant.call('/v1/merchant')).status).toBe(200));
    const { stdout } = await demo();
    expect(stdout).toContain('That is all');
  }, 120_000);

  it('keeps its secrets and its data over a restart', async () => {
    const { kid } = await merchant.contentKey();
    const cookie = await merchant.cookie();
    await merchant.expect(202, '/v1/purchases', { purchaseId: 'kept', cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } });
    await compose('down', '--timeout', '15');
    await compose('up', '--wait', '--wait-timeout', '240');
    expect(await merchant.expect(200, '/v1/purchases/kept')).toMatchObject({ state: 'awaiting-device', cookie });
  }, 300_000);

  it('logged no secret', async () => {
    const { stdout } = await compose('logs', '--no-color');
    expect(stdout).toContain('"service":"token-issuer"');
    expect(stdout).not.toContain(merchant.apiKey);
    expect(stdout).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
  }, 60_000);
});
