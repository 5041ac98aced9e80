import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Checkout, describeWhere, hasDocker } from '@latchkey/kits';
import { aBoundDevice, aPurchase, eventually, LatchkeyStack, type StartedLatchkeyStack } from '../src/index.js';
import { BUILD_MS, buildImage } from './build-image.js';

jest.setTimeout(240_000);
const run = promisify(execFile);

describeWhere(hasDocker(), 'Docker', 'LatchkeyStack', () => {
  let latchkey: StartedLatchkeyStack;

  beforeAll(async () => {
    await buildImage('latchkey/service');
    latchkey = await new LatchkeyStack().withMerchant('cinema').start();
  }, BUILD_MS);
  afterAll(() => latchkey?.stop());

  // One test: a stack takes its time to start.
  it('plays what a checkout published, lets that checkout do nothing else, and goes with all that it had', async () => {
    const viewer = await aBoundDevice(latchkey);
    const { contentId, kids } = await aPurchase(latchkey, { viewer });
    const data = { merchantId: 'cinema', purchaseId: 'published', cookie: viewer.cookie, contentId, kids, rights: { type: 'purchase' }, completedAt: new Date().toISOString() };
    const checkout = await Checkout.connect(latchkey.amqpUrl);
    expect(await checkout.publish({ type: 'purchase.completed.v1', data })).toBe('accepted');
    await expect(checkout.publish({ type: 'device.revoked.v1', data: {} })).rejects.toThrow();
    await checkout.close().catch(() => undefined);
    const bought = await eventually(async () => {
      const { tokens } = await viewer.device.tokens(viewer.registrationToken);
      return tokens.find(({ purchaseId }) => purchaseId === 'published') ?? Promise.reject(new Error('no token yet'));
    });
    expect((await viewer.device.license(bought.token, { kids })).keys).toHaveLength(1);

    // Each service holds its own secrets alone, as the user that it runs as.
    for (const service of ['gateway', 'license-server', 'cookie', 'device-registry', 'token-issuer'] as const) {
      const { output } = await latchkey.container(service).exec(['sh', '-c', 'id -u; stat -c "%u %a" /run/secrets/latchkey/env; grep -o "^AMQP_URL=amqp://[a-z-]*" /run/secrets/latchkey/env']);
      expect(output.trim().split('\n')).toEqual(['1000', '1000 400', `AMQP_URL=amqp://${service}`]);
    }
    // Playback needs neither the broker nor the service that issued the token.
    await latchkey.container('token-issuer').stop();
    await latchkey.container('rabbitmq').stop();
    expect((await viewer.device.license(bought.token, { kids })).keys).toHaveLength(1);

    const network = latchkey.networkName;
    await latchkey.stop();
    expect((await run('docker', ['network', 'ls', '-q', '--filter', `name=${network}`])).stdout).toBe('');
  });
});
