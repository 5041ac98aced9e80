import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevice, type Device, type Fetch, memoryStore } from '@latchkey/device-sdk';
import { fileStore } from '@latchkey/device-sdk/node';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { base64url, hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

let standalone: Standalone;
let merchant: Merchant;
let folder: string;

beforeAll(async () => {
  [standalone, folder] = await Promise.all([startStandalone(), mkdtemp(join(tmpdir(), 'latchkey-e2e-device-'))]);
  merchant = await standalone.merchant();
});
afterEach(() => void jest.restoreAllMocks());
afterAll(async () => {
  await standalone.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A `fetch` that keeps what it sent and was answered, and may lose answers on the way. */
function watchedFetch(lose: (count: number) => boolean = () => false): { fetch: Fetch; statuses: (number | 'lost')[]; proofs: (string | undefined)[] } {
  const statuses: (number | 'lost')[] = [];
  const proofs: (string | undefined)[] = [];
  return {
    statuses,
    proofs,
    fetch: async (url, init) => {
      proofs.push(init.headers['DPoP']);
      const response = await fetch(url, init);
      const lost = lose(statuses.length);
      statuses.push(lost ? 'lost' : response.status);
      if (lost) throw new TypeError('the connection was reset');
      return response;
    },
  };
}

/** A registration token for a fresh cookie of an account. */
async function invitation(accountId = 'alice'): Promise<{ cookie: string; token: string }> {
  const cookie = await merchant.cookie(accountId);
  const { token } = await merchant.expect(201, '/v1/registration-tokens', { cookie });
  return { cookie, token: String(token) };
}

async function buy(cookie: string, rights: object = { type: 'purchase' }): Promise<{ purchaseId: string; kid: string; key: string }> {
  const { kid, key } = await merchant.contentKey();
  const purchaseId = `order-${hex()}`;
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights });
  return { purchaseId, kid, key };
}

const newDevice = (fetch?: Fetch): Promise<Device> => createDevice({ store: memoryStore(), fetch });

describe('a device with the SDK', () => {
  it('registers, collects what was bought before and after, and plays it, also after its app was started again', async () => {
    const store = fileStore(join(folder, 'device.json'));
    const device = await createDevice({ store });
    const { cookie, token } = await invitation();
    const before = await buy(cookie);
    await device.register(token);
    await device.register(token);
    expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ deviceId: device.id, evidence: 'proof' });
    const after = await buy(cookie, { type: 'rental', availableUntil: '2100-01-01T00:00:00.000Z', playDurationSeconds: 3600 });

    const again = await createDevice({ store, licenseUrl: `${standalone.origin}/v1/licenses` });
    expect(again.id).toBe(device.id);
    const { tokens, more, licenseUrl } = await again.tokens(token);
    expect([tokens.map(({ purchaseId }) => purchaseId).sort(), more, licenseUrl]).toEqual([[before.purchaseId, after.purchaseId].sort(), false, `${standalone.origin}/v1/licenses`]);
    for (const { purchaseId, kid, key } of [before, after]) {
      const found = tokens.find((each) => each.purchaseId === purchaseId)!;
      expect(await again.license(found.token, { kids: found.kids })).toEqual({ keys: [{ kty: 'oct', kid: base64url(kid), k: base64url(key) }], type: 'temporary' });
      expect((await again.tokens(found.token)).tokens).toHaveLength(2);
    }
  });

  it('asks twice at first, for the nonce, and then once', async () => {
    const { fetch: watched, statuses, proofs } = watchedFetch();
    const device = await newDevice(watched);
    const { cookie, token } = await invitation();
    await device.register(token);
    const { kid, purchaseId } = await buy(cookie);
    await device.license((await merchant.token(purchaseId)).token, { kids: [kid] });
    await device.tokens(token);
    expect(statuses).toEqual([401, 200, 200, 200]);
    expect(new Set(proofs).size).toBe(4);
  });

  it('gets its licence although the answer was lost: what comes again has a proof that was not used', async () => {
    const { fetch: watched, statuses } = watchedFetch((count) => count === 1 || count === 3);
    const device = await newDevice(watched);
    const { token } = await invitation();
    await device.register(token);
    expect((await device.tokens(token)).tokens).toEqual([]);
    expect(statuses).toEqual([401, 'lost', 200, 'lost', 200]);
  });

  it.each([-3_600_000, 7_200_000])('plays although its clock is wrong by %i ms', async (offMs) => {
    const right = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => right() + offMs);
    const { fetch: watched, statuses } = watchedFetch();
    const device = await newDevice(watched);
    const { token } = await invitation();
    await device.register(token);
    await device.tokens(token);
    expect(statuses).toEqual([401, 200, 200]);
  });

  it('has headers for a player that sends its own requests', async () => {
    const device = await newDevice();
    const { token } = await invitation();
    const url = `${standalone.origin}/v1/licenses`;
    for (let time = 0; time < 2; time += 1) {
      const answer = await fetch(url, { method: 'POST', headers: { ...(await device.headers({ url, method: 'POST', accessToken: token })) } });
      expect(answer.status).toBe(200);
      device.observe(answer.headers);
    }
  });
});

describe('a viewer is told what to do next', () => {
  it('by another device: use the one that is bound', async () => {
    const [device, other] = [await newDevice(), await newDevice()];
    const { cookie, token } = await invitation();
    await device.register(token);
    const { kid, purchaseId } = await buy(cookie);
    const copied = (await merchant.token(purchaseId)).token;
    const elsewhere = { code: 'cookie-bound-elsewhere', action: 'use-bound-device', status: 403 };
    await expect(other.register(token)).rejects.toMatchObject(elsewhere);
    await expect(other.tokens(token)).rejects.toMatchObject(elsewhere);
    await expect(other.license(copied, { kids: [kid] })).rejects.toMatchObject({ code: 'invalid-token', action: 'fetch-new-token' });
    await expect(other.tokens(copied)).rejects.toMatchObject({ code: 'invalid-token' });
  });

  it('after a refund, a rental’s end, and a revocation', async () => {
    const device = await newDevice();
    const { cookie, token } = await invitation(`viewer-${hex()}`);
    await device.register(token);
    const early = await buy(cookie, { type: 'purchase', availableFrom: '2100-01-01T00:00:00.000Z' });
    await expect(device.license((await merchant.token(early.purchaseId)).token, { kids: [early.kid] })).rejects.toMatchObject({ code: 'rental-not-started', action: 'wait' });
    const short = await buy(cookie, { type: 'rental', availableUntil: '2100-01-01T00:00:00.000Z', playDurationSeconds: 1 });
    const rented = (await merchant.token(short.purchaseId)).token;
    await device.license(rented, { kids: [short.kid] });
    await eventually(async () => expect(await codeOf(device.license(rented, { kids: [short.kid] }))).toBe('rental-expired buy-again'));
    await expect(device.license(rented, { kids: [early.kid] })).rejects.toMatchObject({ code: 'kid-not-in-token', action: 'fetch-new-token' });

    const film = await buy(cookie);
    await merchant.token(film.purchaseId);
    await merchant.expect(202, `/v1/purchases/${film.purchaseId}/refund`, {});
    expect((await device.tokens(token)).tokens.map(({ purchaseId }) => purchaseId).sort()).toEqual([early.purchaseId, short.purchaseId].sort());
    await merchant.expect(202, `/v1/devices/${device.id}/revoke`, {});
    await expect(device.tokens(token)).rejects.toMatchObject({ code: 'device-revoked', action: 'contact-support' });
    await eventually(async () => expect(await codeOf(device.license(rented, { kids: [short.kid] }))).toBe('device-revoked contact-support'));
  });

  it('without a server: try again later', async () => {
    const away = await createDevice({ store: memoryStore(), licenseUrl: 'http://127.0.0.1:1/v1/licenses' });
    await expect(away.register('x')).rejects.toMatchObject({ code: 'network', action: 'try-again-later', status: undefined });
  });
});

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'granted',
    ({ code, action }: { code: string; action: string }) => `${code} ${action}`,
  );
}
