import { readFile } from 'node:fs/promises';
import { requests, SigningKeyPublished, SigningKeyRetired } from '@latchkey/contracts';
import { importEcPublicJwk, kekIdOf, parseKeyRing, readToken } from '@latchkey/crypto';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { ConfigurationError, readConfiguration } from '@latchkey/service-defaults';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tokenIssuerService } from '../src/index.js';
import { rewrapAll } from '../src/rewrap/rewrap-all.js';
import { activateKey } from '../src/signing-key-store.js';
import { completed, Issuer, KEK_1, KEK_2, MERCHANT, Neighbours, registered, terms } from './issuer.js';

let database: TestDatabase;
const running: Issuer[] = [];

async function start(options: Parameters<typeof Issuer.start>[1] = {}): Promise<Issuer> {
  const issuer = await Issuer.start(database.url, options);
  running.push(issuer);
  return issuer;
}

const ring = (text: string) => {
  const parsed = parseKeyRing(text);
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.ring;
};

async function issue(issuer: Issuer, kid: string) {
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
  const purchase = terms({ cookie: binding.cookie, kids: [kid] });
  await issuer.hear(registered(binding));
  await issuer.hear(completed(purchase));
  const { token } = await issuer.ask(requests.getPurchaseToken, purchase);
  const read = readToken(token);
  if (!read.ok || read.kind !== 'content') throw new Error('no content token');
  return { read, purchase, token };
}

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const issuer of running.splice(0)) await issuer.stop();
  await database.drop();
});

describe('the signing key', () => {
  it('signs nothing before the licence servers hold it', async () => {
    const neighbours = new Neighbours();
    neighbours.licenseServersHold = false;
    const issuer = await start({ neighbours, awaitReady: false });
    const [published] = await issuer.said(SigningKeyPublished, 1);
    expect((await issuer.service.health.readiness()).checks['signing-key']).toMatchObject({ ok: false, required: true });
    expect(await issuer.refusal(requests.issueRegistrationToken, { merchantId: MERCHANT, cookie: neighbours.cookie() })).toBe('unavailable 503');
    const events = [completed(terms({ cookie: 'any', kids: ['a'.repeat(32)] })), registered(neighbours.bind(neighbours.cookie()))];
    expect(await issuer.hear(...events)).toEqual(['wait', 'wait']);
    // Licence servers that missed the event can already read it here.
    const { keys } = await issuer.ask(requests.getJwks, {});
    expect(keys).toEqual([{ ...published!.publicJwk, kid: published!.keyId, alg: 'ES256', use: 'sig' }]);

    const cookie = neighbours.cookie();
    const early = issuer.ask(requests.issueRegistrationToken, { merchantId: MERCHANT, cookie });
    neighbours.licenseServersHold = true;
    const read = readToken((await early).token);
    expect(read.ok && read.keyId).toBe(published!.keyId);
    expect(read.ok && read.verify(importEcPublicJwk(published!.publicJwk)!.publicKey)).toBe(true);
    expect((await issuer.service.health.readiness()).status).toBe('ready');
    expect(issuer.heardOf(SigningKeyPublished)).toHaveLength(1);
  });

  it('is one for replicas that start together, and lies wrapped at rest', async () => {
    const neighbours = new Neighbours();
    const issuers = await Promise.all([start({ neighbours }), start({ neighbours }), start({ neighbours })]);
    const keys = await issuers[0].rows<{ key_id: string; wrapped_key: string }>('select * from signing_keys');
    expect(keys).toHaveLength(1);
    expect(keys[0]!.wrapped_key).toMatch(/^k1\./);
    const kid = await issuers[0].kid();
    const tokens = await Promise.all(issuers.map((issuer) => issue(issuer, kid)));
    expect(new Set(tokens.map(({ read }) => read.keyId))).toEqual(new Set([keys[0]!.key_id]));
  });

  it('is not retired by a replica that comes late to activate it', async () => {
    const issuer = await start();
    const [active] = await issuer.rows<{ key_id: string }>(`select key_id from signing_keys where state = 'active'`);
    const outbox = new Outbox(issuer.service.dataSource, []);
    expect(await outbox.transaction((tx) => activateKey(tx, active!.key_id))).toBeUndefined();
    expect(await issuer.rows(`select key_id from signing_keys where state = 'active'`)).toEqual([active]);
  });

  it('is replaced when it is old, and stays known while its tokens live', async () => {
    const issuer = await start({ env: { LATCHKEY_SIGNING_KEY_AGE_SECONDS_MAX: '2' } });
    const kid = await issuer.kid();
    const first = await issue(issuer, kid);
    await eventually(async () => {
      const { read } = await issue(issuer, kid);
      expect(read.keyId).not.toBe(first.read.keyId);
    });
    const { keys } = await issuer.ask(requests.getJwks, {});
    const old = keys.find((key) => key.kid === first.read.keyId);
    expect(old).toBeDefined();
    // The licence servers are told how long they have to trust it: as long as the longest token, and a margin.
    const [retired] = await issuer.said(SigningKeyRetired, 1, { keyId: first.read.keyId });
    const { retiredAt, trustedUntil } = retired as { retiredAt: string; trustedUntil: string };
    expect(Date.parse(trustedUntil) - Date.parse(retiredAt)).toBe((30 * 24 + 1) * 3_600_000);
    const { kty, crv, x, y } = old!;
    expect(first.read.verify(importEcPublicJwk({ kty, crv, x, y })!.publicKey)).toBe(true);
    const states = await issuer.rows<{ state: string }>(`select state from signing_keys where state = 'active'`);
    expect(states).toHaveLength(1);
  });

  it('that leaked is withdrawn by the statements of the operations page: a new one signs, and tokens are had anew', async () => {
    const issuer = await start();
    const kid = await issuer.kid();
    const cookie = issuer.neighbours.cookie();
    const purchase = terms({ cookie, kids: [kid] });
    await issuer.hear(registered(issuer.neighbours.bind(cookie)));
    await issuer.hear(completed(purchase));
    const ask = async () => (await issuer.ask(requests.getPurchaseToken, { merchantId: MERCHANT, purchaseId: purchase.purchaseId })).token;
    const keyOf = (token: string): string => {
      const read = readToken(token);
      if (!read.ok) throw new Error(read.reason);
      return read.keyId;
    };
    const leaked = keyOf(await ask());
    const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
    const statements = [...page.matchAll(/^ *(update (?:signing_keys|tokens) set [^;]+);/gm)].map(([, statement]) => statement!.replace('<id>', leaked));
    expect(statements).toHaveLength(2);
    await issuer.rows(statements[0]!);
    await eventually(async () => expect((await issue(issuer, kid)).read.keyId).not.toBe(leaked));
    await issuer.rows(statements[1]!);
    expect(keyOf(await ask())).not.toBe(leaked);
    expect((await issuer.ask(requests.getJwks, {})).keys.map((key) => key.kid)).not.toContain(leaked);
  });

  it('survives a restart, with everything else', async () => {
    const neighbours = new Neighbours();
    const before = await start({ neighbours });
    const kid = await before.kid();
    const { purchase, token } = await issue(before, kid);
    const waiting = terms({ cookie: neighbours.cookie(), kids: [kid] });
    await before.hear(completed(waiting));
    await running.pop()!.stop();

    const after = await start({ neighbours });
    expect((await after.ask(requests.getPurchaseToken, purchase)).token).toBe(token);
    await after.hear(registered(neighbours.bind(waiting.cookie)));
    expect(await after.liveTokens(waiting.purchaseId)).toHaveLength(1);
    expect(await after.rows('select 1 from signing_keys')).toHaveLength(1);
  });
});

describe('a new KEK', () => {
  it('takes over content keys and signing keys while the service runs', async () => {
    const neighbours = new Neighbours();
    const old = await start({ neighbours });
    const kid = await old.kid();
    const [before] = await old.rows<{ wrapped_key: string }>('select wrapped_key from content_keys');
    const plain = ring(KEK_1).unwrapContentKey({ merchantId: MERCHANT, kid, wrapped: before!.wrapped_key });
    const oldToken = await issue(old, kid);
    await running.pop()!.stop();

    const issuer = await start({ neighbours, env: { LATCHKEY_KEK: `${KEK_2},${KEK_1}` } });
    const fresh = await issuer.kid();
    const unwrapped = await issue(issuer, kid);
    expect(unwrapped.read.claims.keys.map(kekIdOf)).toEqual(['k1']);
    const report = await rewrapAll(issuer.service.dataSource, ring(`${KEK_2},${KEK_1}`));
    expect(report).toMatchObject({ contentKeys: 1, signingKeys: 1, unreadable: 0 });
    const { expiresAt } = await issuer.ask(requests.getPurchaseToken, unwrapped.purchase);
    expect(report.oldKeksNeeded).toEqual([{ kekId: 'k1', neededUntil: expiresAt }]);
    expect(await rewrapAll(issuer.service.dataSource, ring(`${KEK_2},${KEK_1}`))).toMatchObject({ contentKeys: 0, signingKeys: 0 });

    // The token that was issued before carries its key as it was wrapped, the next one as it lies now.
    expect((await issuer.ask(requests.getPurchaseToken, oldToken.purchase)).token).toBe(oldToken.token);
    const { read } = await issue(issuer, kid);
    expect(read.claims.keys.map(kekIdOf)).toEqual(['k2']);
    expect(ring(KEK_2).unwrapContentKey({ merchantId: MERCHANT, kid, wrapped: read.claims.keys[0]! })).toEqual(plain);
    await running.pop()!.stop();

    const alone = await start({ neighbours, env: { LATCHKEY_KEK: KEK_2 } });
    expect((await issue(alone, fresh)).read.keyId).toBe(oldToken.read.keyId);
  });

  it('passes what it cannot read, and says so', async () => {
    const issuer = await start();
    await issuer.kid();
    const report = await rewrapAll(issuer.service.dataSource, ring(KEK_2));
    expect(report).toMatchObject({ contentKeys: 0, signingKeys: 0, unreadable: 2 });
    expect(await issuer.rows(`select 1 from content_keys where wrapped_key like 'k1.%'`)).toHaveLength(1);
  });
});

describe('the configuration', () => {
  const env = { DATABASE_URL: 'postgres://x/y', AMQP_URL: 'amqp://x', LATCHKEY_KEK: KEK_1, LATCHKEY_LICENSE_URL: 'http://x/v1/licenses' };

  it('tells every problem, and never a key', () => {
    const secret = Buffer.alloc(16, 7).toString('base64');
    const read = () =>
      readConfiguration(tokenIssuerService.settings, { ...env, LATCHKEY_KEK: `k1:${secret},k1:?`, LATCHKEY_LICENSE_URL: undefined, LATCHKEY_CONTENT_TOKEN_TTL_SECONDS: '2592001' });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(/LATCHKEY_KEK entry 1: .*16 bytes.*entry 2[^]*LATCHKEY_LICENSE_URL is not set[^]*LATCHKEY_CONTENT_TOKEN_TTL_SECONDS/);
    expect(read).not.toThrow(new RegExp(secret.slice(0, 8)));
  });

  it('with names so long that 32 keys would not fit a token stops the start', async () => {
    const license = `https://licenses.example/${'x'.repeat(480)}`;
    await expect(start({ env: { LATCHKEY_LICENSE_URL: license }, awaitReady: false })).rejects.toThrow(/32 keys would not fit/);
  });
});
