import { requests, SigningKeyPublished, SigningKeyRetired } from '@latchkey/contracts';
import { generateSigningKey } from '@latchkey/crypto';
import { describeWithRabbit, createTestVhost, eventually, FakeDevice } from '@latchkey/kits';
import { connectRabbit, Requests } from '@latchkey/messaging';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, contentToken, openBench, publishSigningKey, quiet, type Replica } from './bench.js';

/** The same on both buses: what the licence server hears, and what it answers. */
function suite(openBroker?: Parameters<typeof openBench>[0]): void {
  let bench: Bench;
  let replicas: Replica[];

  beforeAll(async () => {
    bench = await openBench(openBroker);
    replicas = [await bench.start(), await bench.start()];
    // A licence server is up before it has joined the broker.
    await eventually(() => publishSigningKey(bench));
    await eventually(async () => expect(await heldOf(bench.signingKey.keyId)).toHaveLength(1));
  });
  afterAll(async () => bench?.close());

  const shownAt = async ({ url }: Replica): Promise<string[]> => {
    const response = await fetch(new URL('/.well-known/jwks.json', url));
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const heldOf = async (...keyIds: string[]): Promise<string[]> => (await new Requests(bench.broker).ask(requests.holdSigningKeys, { keyIds })).held;

  it('a key that is said to be held opens at every replica at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const signingKey = generateSigningKey();
      const device = new FakeDevice();
      const token = contentToken({ ...bench, signingKey }, device);
      // Asked for in vain before: nothing may remember that it was unknown.
      for (const replica of replicas) expect((await replica.ask(device, { token })).body.code).toBe('invalid-token');
      expect(await heldOf(signingKey.keyId)).toEqual([]);
      await publishSigningKey(bench, signingKey);
      await eventually(async () => expect(await heldOf(signingKey.keyId, 'other')).toEqual([signingKey.keyId]));
      for (const replica of replicas) expect((await replica.ask(device, { token })).status).toBe(200);
    }
  });

  it.each(['after its publication', 'before its publication'])('a key whose retirement is heard %s is trusted until then, and no longer', async (order) => {
    const signingKey = generateSigningKey();
    const { keyId } = signingKey;
    const device = new FakeDevice();
    const token = contentToken({ ...bench, signingKey }, device);
    const retire = (inMs: number) =>
      bench.publish(SigningKeyRetired, { keyId, retiredAt: new Date().toISOString(), trustedUntil: new Date(Date.now() + inMs).toISOString() });
    const known = () => bench.rows(`select from retired_signing_keys where key_id = '${keyId}'`);
    if (order.startsWith('before')) {
      await retire(3_600_000);
      await eventually(async () => expect(await known()).toHaveLength(1));
    }
    await publishSigningKey(bench, signingKey);
    await eventually(async () => expect(await heldOf(keyId)).toEqual([keyId]));
    await retire(3_600_000);
    await eventually(async () => expect(await known()).toHaveLength(1));
    expect(await heldOf(keyId)).toEqual([keyId]);
    expect((await replicas[0]!.ask(device, { token })).status).toBe(200);
    expect(await shownAt(replicas[0]!)).toContain(keyId);

    await retire(-1);
    await eventually(async () => expect(await heldOf(keyId)).toEqual([]));
    // A replica that has not used the key lately refuses at once; the other after the half minute for which it holds it.
    expect((await replicas[1]!.ask(device, { token })).body.code).toBe('invalid-token');
    expect(await shownAt(replicas[0]!)).not.toContain(keyId);
    // A later word does not bring it back.
    const heard = async () => (await bench.rows('select distinct source, event_id from received_events')).length;
    const before = await heard();
    await retire(3_600_000);
    await publishSigningKey(bench, signingKey);
    await eventually(async () => expect(await heard()).toBe(before + 2));
    expect(await heldOf(keyId)).toEqual([]);
  });

  it('a key under an id that is not its thumbprint is put aside', async () => {
    const [key, other] = [generateSigningKey(), generateSigningKey()];
    const { kty, crv, x, y } = key.publicJwk;
    await bench.publish(SigningKeyPublished, { keyId: other.keyId, publicJwk: { kty, crv, x, y }, publishedAt: new Date().toISOString() });
    await eventually(async () => expect(await bench.broker.quarantined('license-server', 10)).toHaveLength(1));
    expect(await heldOf(other.keyId)).toEqual([]);
  });

  it('a revocation that comes twice, and with others, bites once and for all', async () => {
    const device = new FakeDevice();
    const tokenOf = (jti: string): string => contentToken(bench, device, { jti });
    for (const jti of ['r1', 'r2', 'r3']) expect((await replicas[0]!.ask(device, { token: tokenOf(jti) })).status).toBe(200);
    await Promise.all(['r1', 'r1', 'r2', 'r2'].map((jti) => bench.revokeToken(jti)));
    await eventually(async () => {
      for (const jti of ['r1', 'r2']) for (const replica of replicas) expect((await replica.ask(device, { token: tokenOf(jti) })).body.code).toBe('invalid-token');
    });
    expect((await replicas[1]!.ask(device, { token: tokenOf('r3') })).status).toBe(200);
    expect(await bench.rows('select from revoked_tokens')).toHaveLength(2);
    expect(await bench.broker.quarantined('license-server', 10)).toHaveLength(1);
  });
}

describe('on the bus of one process', () => suite());

describeWithRabbit('on RabbitMQ', () =>
  suite(async () => {
    const vhost = await createTestVhost();
    const broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'test', logger: quiet });
    return {
      broker,
      close: async () => {
        await broker.close();
        await vhost.close();
      },
    };
  }),
);
