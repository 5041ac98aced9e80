import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Checkout, createTestVhost, describeWhere, describeWithRabbit, hasDocker, type TestVhost } from '@latchkey/kits';
import { aBoundDevice, aDevice, aPurchase, eventually, LatchkeyContainer, type StartedLatchkeyContainer } from '../src/index.js';
import { BUILD_MS, buildImage } from './build-image.js';

jest.setTimeout(240_000);
const run = promisify(execFile);

describeWhere(hasDocker(), 'Docker', 'LatchkeyContainer', () => {
  let latchkey: StartedLatchkeyContainer;

  beforeAll(async () => {
    await buildImage('latchkey/standalone');
    latchkey = await new LatchkeyContainer().withMerchant('cinema').withEnvironment({ LATCHKEY_LOG_LEVEL: 'debug' }).start();
  }, BUILD_MS);
  afterAll(() => latchkey?.stop());

  const inspect = async <T>(format: string): Promise<T> => JSON.parse((await run('docker', ['inspect', latchkey.getId(), '--format', `{{json ${format}}}`])).stdout) as T;

  it('is ready, and belongs to the merchant that was asked for', async () => {
    const answer = await fetch(`${latchkey.gatewayUrl}/v1/merchant`, { headers: { authorization: `Bearer ${latchkey.apiKey}` } });
    expect(await answer.json()).toMatchObject({ merchantId: 'cinema' });
    expect(latchkey.merchantId).toBe('cinema');
  });

  it('gives a licence to the device that bought, and to no other', async () => {
    const film = await aPurchase(latchkey);
    const [[kid, key]] = Object.entries(film.keys) as [[string, string]];
    const base64url = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
    expect(await film.license()).toEqual({ keys: [{ kty: 'oct', kid: base64url(kid), k: base64url(key) }], type: 'temporary' });
    const thief = await aDevice();
    await expect(thief.license(await film.token(), { kids: film.kids })).rejects.toMatchObject({ code: 'invalid-token' });
  });

  it('makes up whatever a suite does not care about, and takes whatever it does', async () => {
    const viewer = await aBoundDevice(latchkey, { accountId: 'alice', cookieTtlSeconds: 600 });
    const keys = { '00112233445566778899aabbccddeeff': 'ffeeddccbbaa99887766554433221100' };
    const film = await aPurchase(latchkey, { viewer, purchaseId: 'order-1', contentId: 'film-7', keys, rights: { type: 'purchase' } });
    expect(await viewer.device.tokens(viewer.registrationToken)).toMatchObject({ tokens: [{ purchaseId: 'order-1', contentId: 'film-7', kids: Object.keys(keys) }] });
    await film.refund('changed their mind');
    await expect(film.token()).rejects.toMatchObject({ name: 'UnexpectedAnswer', status: 409, code: 'purchase-refunded' });
    expect(await film.state()).toBe('refunded');
    // The same device again, bound to another cookie.
    expect((await aBoundDevice(latchkey, { device: viewer.device })).device.id).toBe(viewer.device.id);
  });

  it('lets a purchase wait for its device', async () => {
    const { cookie } = (await (
      await fetch(`${latchkey.gatewayUrl}/v1/cookies`, {
        method: 'POST',
        headers: { authorization: `Bearer ${latchkey.apiKey}`, 'content-type': 'application/json' },
        body: '{"accountId":"bob"}',
      })
    ).json()) as { cookie: string };
    const film = await aPurchase(latchkey, { cookie });
    expect(await film.state()).toBe('awaiting-device');
    await expect(film.license()).rejects.toThrow('no device');
    await expect(aPurchase(latchkey, { cookie: 'nobody-knows-it' })).rejects.toThrow(/^POST \/v1\/purchases answered 404 /);
  });

  it('has no broker and no other clock than ours, and says how to get one', async () => {
    expect(() => latchkey.amqpUrl).toThrow('withAmqp');
    await expect(latchkey.travel({ hours: 1 })).rejects.toThrow('withTimeTravel()');
    // A process may end while it is read. Those that live have the C library in their maps.
    const { output } = await latchkey.exec(['sh', '-c', 'cat /proc/[0-9]*/maps 2>/dev/null']);
    expect(output).toContain('libc');
    expect(output).not.toContain('faketime');
  });

  it('runs as nobody in particular, its data on a volume, its health known to Docker', async () => {
    expect((await latchkey.exec(['id', '-u'])).output.trim()).toBe('1000');
    expect(await inspect<object>('.Config.Volumes')).toEqual({ '/var/lib/latchkey': {} });
    await eventually(async () => expect(await inspect('.State.Health.Status')).toBe('healthy'), { timeoutMs: 60_000, intervalMs: 500 });
  });

  it('stops cleanly on SIGTERM, keeps what it accepted, and comes back under its new address', async () => {
    const film = await aPurchase(latchkey);
    await run('docker', ['stop', '--time', '20', latchkey.getId()]);
    expect(await inspect('.State.ExitCode')).toBe(0);
    await latchkey.restart({ timeout: 20_000 });
    const bought = await aPurchase(latchkey);
    expect((await bought.license()).keys).toHaveLength(1);
    expect(JSON.parse(Buffer.from((await bought.token()).split('.')[1]!, 'base64url').toString())).toMatchObject({ aud: latchkey.licenseUrl });
    const kept = await fetch(`${latchkey.gatewayUrl}/v1/purchases/${film.purchaseId}`, { headers: { authorization: `Bearer ${latchkey.apiKey}` } });
    expect(await kept.json()).toMatchObject({ state: 'issued' });
  });
});

describeWithRabbit('LatchkeyContainer with a broker', () => {
  let vhost: TestVhost;
  let latchkey: StartedLatchkeyContainer;

  beforeAll(async () => {
    vhost = await createTestVhost();
    await buildImage('latchkey/standalone');
    const insideUrl = new URL(vhost.amqpUrl);
    insideUrl.hostname = 'broker.host';
    latchkey = await new LatchkeyContainer()
      .withExtraHosts([{ host: 'broker.host', ipAddress: 'host-gateway' }])
      .withAmqp({ insideUrl: insideUrl.href, outsideUrl: vhost.amqpUrl })
      .start();
  }, BUILD_MS);
  afterAll(async () => {
    await latchkey?.stop();
    await vhost?.close();
  });

  it('hears what a checkout publishes', async () => {
    const viewer = await aBoundDevice(latchkey);
    const { keys, contentId, kids } = await aPurchase(latchkey, { viewer });
    const checkout = await Checkout.connect(latchkey.amqpUrl);
    const data = { merchantId: latchkey.merchantId, purchaseId: 'published', cookie: viewer.cookie, contentId, kids, rights: { type: 'purchase' }, completedAt: new Date().toISOString() };
    expect(await checkout.publish({ type: 'purchase.completed.v1', data })).toBe('accepted');
    await checkout.close();
    const bought = await eventually(async () => {
      const { tokens } = await viewer.device.tokens(viewer.registrationToken);
      return tokens.find(({ purchaseId }) => purchaseId === 'published') ?? Promise.reject(new Error('no token yet'));
    });
    expect((await viewer.device.license(bought.token, { kids: Object.keys(keys) })).keys).toHaveLength(1);
  });
});
