import { requests } from '@latchkey/contracts';
import { type CuttableProxy, eventually, FakeDevice, openCuttableProxy } from '@latchkey/kits';
import { connectRabbit, Requests } from '@latchkey/messaging';
import { createLogger, Metrics } from '@latchkey/service-defaults';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RevocationKnowledge } from '../src/revocations/revocation-knowledge.js';
import { type Bench, contentToken, insertSigningKey, nowSeconds, openBench, openBenchWithReplica, quiet, registrationToken, type Replica } from './bench.js';

let bench: Bench & { replica: Replica };

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());

const expectUnavailable = ({ status, body, headers }: Awaited<ReturnType<Replica['ask']>>): void => {
  expect([status, body.code, headers.get('retry-after'), body.keys]).toEqual([503, 'unavailable', '1', undefined]);
  expect(headers.get('dpop-nonce')).toMatch(/^[\w-]+$/);
};

/** What a merchant's licence server is answered to a question that is right. */
const verify = (asked: Bench) =>
  new Requests(asked.broker).ask(requests.verifyLicense, {
    merchantId: 'm1',
    token: contentToken(asked, new FakeDevice(), { cnf: undefined, device: 'device-1' }),
    deviceId: 'device-1',
    drm: 'widevine',
  });

describe('without the broker and every other service', () => {
  const broker = connectRabbit({ url: 'amqp://nobody:nothing@127.0.0.1:1', clientName: 'test', logger: quiet });
  let alone: Replica;

  beforeAll(async () => {
    alone = await bench.start({}, broker);
  });
  afterAll(async () => {
    await alone?.stop();
    await broker.close();
  });

  it('a content token gets its licence', async () => {
    const device = new FakeDevice();
    expect((await alone.ask(device, { token: contentToken(bench, device) })).status).toBe(200);
  });

  it('the grant is in the outbox, for later', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device, { jti: 'tok_later' });
    expect((await alone.ask(device, { token })).status).toBe(200);
    await eventually(() => expect(bench.heard.some(({ data }) => data['tokenId'] === 'tok_later')).toBe(true));
  });

  it('a registration is 503 and comes again', async () => {
    expectUnavailable(await alone.ask(new FakeDevice(), { token: registrationToken(bench) }));
  });

  it('is ready, and says degraded', async () => {
    const response = await fetch(`${alone.url}/health/ready`);
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { status: 'degraded', checks: { database: { ok: true, required: true }, broker: { ok: false, required: false, detail: 'the broker is down' } } },
    ]);
  });
});

describe('the age of what is known of revocations', () => {
  it('refuses nothing where no limit is set, and every content licence beyond the limit', async () => {
    const broker = connectRabbit({ url: 'amqp://nobody:nothing@127.0.0.1:1', clientName: 'test', logger: quiet });
    const isolated = await openBenchWithReplica();
    await isolated.replica.stop();
    const [lenient, strict] = [await isolated.start({}, broker), await isolated.start({ LATCHKEY_REVOCATION_AGE_SECONDS_MAX: '60' }, broker)];
    const device = new FakeDevice();
    const ask = (replica: Replica) => replica.ask(device, { token: contentToken(isolated, device) });
    expect([(await ask(lenient)).status, (await ask(strict)).status]).toEqual([200, 200]);
    await isolated.rows(`update revocation_knowledge set current_at = clock_timestamp() - interval '61 seconds'`);
    expect((await ask(lenient)).status).toBe(200);
    expectUnavailable(await ask(strict));
    expect(await strict.metrics.expose()).toMatch(/latchkey_revocation_age_seconds 6[1-9]/);
    const connected = await isolated.start();
    await eventually(async () => expect((await ask(strict)).status).toBe(200));
    await connected.stop();
    const asked = await isolated.start({ LATCHKEY_REVOCATION_AGE_SECONDS_MAX: '60' });
    await eventually(() => expect(verify(isolated)).resolves.toMatchObject({ allow: true }));
    // The replica that answers is connected, and notes every few seconds that it has heard all.
    await eventually(async () => {
      await isolated.rows(`update revocation_knowledge set current_at = clock_timestamp() - interval '61 seconds'`);
      await expect(verify(isolated)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
    });
    await asked.stop();
    await isolated.close();
    await broker.close();
  });

  it('grows on while the broker is up and its backlog is unread, and ends when it is read', async () => {
    const broker = connectRabbit({ url: 'amqp://nobody:nothing@127.0.0.1:1', clientName: 'test', logger: quiet });
    const isolated = await openBenchWithReplica();
    await isolated.replica.stop();
    const strict = await isolated.start({ LATCHKEY_REVOCATION_AGE_SECONDS_MAX: '60' }, broker);
    await isolated.revokeToken('tok_backlog');
    await isolated.rows(`update revocation_knowledge set current_at = clock_timestamp() - interval '61 seconds'`);
    const knowledge = new RevocationKnowledge(strict.dataSource, isolated.broker, new Metrics(), createLogger('test', 'silent'));

    await knowledge.mark();
    expect(await knowledge.ageSeconds()).toBeGreaterThan(61);
    const device = new FakeDevice();
    const ask = (claims: { jti?: string }) => strict.ask(device, { token: contentToken(isolated, device, claims) });
    expectUnavailable(await ask({}));

    const connected = await isolated.start();
    await eventually(async () => expect(await isolated.broker.depths('license-server')).toContainEqual({ queue: 'in', messages: 0 }));
    await knowledge.mark();
    expect(await knowledge.ageSeconds()).toBeLessThan(1);
    expect([(await ask({})).status, (await ask({ jti: 'tok_backlog' })).body.code]).toEqual([200, 'invalid-token']);
    await connected.stop();
    await isolated.close();
    await broker.close();
  });
});

describe('without the database', () => {
  let proxy: CuttableProxy;
  let replica: Replica;
  const device = new FakeDevice();
  let token: string;

  beforeAll(async () => {
    proxy = await openCuttableProxy(bench.database.url);
    replica = await bench.start({ DATABASE_URL: proxy.url });
    token = contentToken(bench, device);
    expect((await replica.ask(device, { token })).status).toBe(200);
  });
  afterAll(async () => {
    proxy?.restore();
    await replica?.stop();
    await proxy?.close();
  });

  it('nobody gets a licence, and everybody does when it is back', async () => {
    proxy.cut();
    const answers = await Promise.all(Array.from({ length: 10 }, () => replica.ask(device, { token: token })));
    answers.forEach(expectUnavailable);
    expectUnavailable(await replica.ask(new FakeDevice(), { token: registrationToken(bench) }));
    expect((await fetch(`${replica.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${replica.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${replica.url}/.well-known/jwks.json`)).status).toBe(503);
    proxy.restore();
    await eventually(async () => expect((await replica.ask(device, { token: token })).status).toBe(200));
  });

  it('what needs no database is refused as ever', async () => {
    proxy.cut();
    expect((await replica.ask(new FakeDevice(), { token: token })).body.code).toBe('invalid-token');
    expect((await replica.ask(device, { token: contentToken(bench, device, { iat: nowSeconds() - 9, exp: nowSeconds() - 5 }) })).body.code).toBe('invalid-token');
    expect((await replica.ask(device, { token: token, body: '{' })).body.code).toBe('invalid-request');
    proxy.restore();
    await eventually(async () => expect((await replica.ask(device, { token: token })).status).toBe(200));
  });

  it('that hangs, the answer comes all the same', async () => {
    proxy.stall();
    const startedMs = performance.now();
    expectUnavailable(await replica.ask(device, { token: token }));
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    proxy.cut();
    proxy.restore();
    await eventually(async () => expect((await replica.ask(device, { token: token })).status).toBe(200));
  });
});

describe('without the database, to a merchant’s licence server', () => {
  it('nothing is allowed, whether the database is cut off or hangs, and all that may be when it is back', async () => {
    const isolated = await openBench();
    const proxy = await openCuttableProxy(isolated.database.url);
    const replica = await isolated.start({ DATABASE_URL: proxy.url });
    await insertSigningKey(isolated);
    await eventually(() => expect(verify(isolated)).resolves.toMatchObject({ allow: true }));
    proxy.cut();
    await expect(verify(isolated)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
    proxy.restore();
    await eventually(() => expect(verify(isolated)).resolves.toMatchObject({ allow: true }));
    proxy.stall();
    await expect(verify(isolated)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
    proxy.cut();
    proxy.restore();
    await replica.stop();
    await isolated.close();
    await proxy.close();
  });
});

describe('a token that is refused in a loop', () => {
  it('is told ten times a minute and no more', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device, { jti: 'tok_loop' });
    const ask = () => bench.replica.ask(device, { token, kids: ['0'.repeat(32)] });
    for (let index = 0; index < 15; index += 1) expect((await ask()).body.code).toBe('kid-not-in-token');
    const told = () => bench.heard.filter(({ data }) => data['tokenId'] === 'tok_loop');
    await eventually(() => expect(told()).toHaveLength(10));
    await eventually(async () => expect(await bench.rows('select from outbox_events')).toEqual([]));
    expect(told()).toHaveLength(10);
    expect(await bench.replica.metrics.expose()).toContain('latchkey_license_denials_untold_total{reason="quota"} 5');
  });
});

describe('a device that is revoked while the database is away', () => {
  it('gets no licence once the revocation is handled, which takes no climb on the retry ladder', async () => {
    const isolated = await openBench();
    const proxy = await openCuttableProxy(isolated.database.url);
    const replica = await isolated.start({ DATABASE_URL: proxy.url });
    await insertSigningKey(isolated);
    const device = new FakeDevice();
    const ask = () => replica.ask(device, { token: contentToken(isolated, device) });
    expect((await ask()).status).toBe(200);

    proxy.cut();
    await isolated.revokeDevice(device.deviceId);
    // It has been tried and waits; a second revocation is tried beside it, so the first one has failed at least once.
    await eventually(() => expect(isolated.logged.join('')).toContain('events wait for a part that is away'));
    await isolated.revokeToken('tok_meanwhile');
    expectUnavailable(await ask());
    expect((await fetch(`${replica.url}/health/ready`)).status).toBe(503);
    proxy.restore();

    await eventually(async () => expect((await ask()).body.code).toBe('device-revoked'));
    await eventually(async () => expect(await isolated.rows('select 1 from revoked_tokens')).toHaveLength(1));
    const depths = await isolated.broker.depths('license-server');
    expect(depths.map(({ queue, messages }) => [queue, messages])).toEqual([['in', 0], ['retry', 0], ['dlq', 0]]);
    const lines = isolated.logged.filter((line) => /events wait|handled again|event handler failed|is retried/.test(line));
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg).sort()).toEqual([
      ...Array.from({ length: lines.length / 2 }, () => 'events that waited are handled again'),
      ...Array.from({ length: lines.length / 2 }, () => 'events wait for a part that is away'),
    ]);
    await isolated.close();
    await proxy.close();
  });
});
