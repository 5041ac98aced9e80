import { describe, expect, it } from '@jest/globals';
import { DeviceClient } from '../src/device-client.js';
import { loadOrMakeKey } from '../src/device-key.js';
import { ServerClock } from '../src/server-clock.js';
import { memoryStore } from '../src/index.js';
import { type Received, refusal, type Scripted, scriptedServer } from './scripted-server.js';

const NOW_MS = Date.parse('2026-11-23T12:00:00Z');
const url = 'https://play.example/v1/licenses';
const request = { method: 'POST', url, accessToken: 'a.b.c', body: '{}' } as const;
const granted: Scripted = { status: 200, body: { keys: [] }, headers: { 'DPoP-Nonce': 'after' } };
const wantsNonce = (nonce: string): Scripted => refusal(401, 'use-dpop-nonce', { 'DPoP-Nonce': nonce });
const isFresh = (received: readonly Received[]): void => expect(new Set(received.map(({ claims }) => claims['jti'])).size).toBe(received.length);

async function clientOf(script: Scripted[], localMs = NOW_MS) {
  const { fetch, received } = scriptedServer(...script);
  const slept: number[] = [];
  const clock = new ServerClock(() => localMs);
  const client = new DeviceClient(await loadOrMakeKey(memoryStore()), { fetch, clock, sleep: async (ms) => void slept.push(ms) });
  return { client, received, slept };
}

describe('the nonce', () => {
  it('is taken from the refusal that wants one, once, and from every answer', async () => {
    const { client, received } = await clientOf([wantsNonce('first'), granted, granted]);
    expect(await client.send(request)).toBe('{"keys":[]}');
    await client.send(request);
    expect(received.map(({ claims }) => claims['nonce'])).toEqual([undefined, 'first', 'after']);
    isFresh(received);
  });

  it('that is wanted again and again ends in an error', async () => {
    const { client, received } = await clientOf([wantsNonce('1'), wantsNonce('2'), wantsNonce('3')]);
    await expect(client.send(request)).rejects.toMatchObject({ code: 'use-dpop-nonce', action: 'try-again-later' });
    expect(received).toHaveLength(2);
  });

  it('that is wanted and not given is not tried again', async () => {
    const { client, received } = await clientOf([refusal(401, 'use-dpop-nonce')]);
    await expect(client.send(request)).rejects.toMatchObject({ code: 'use-dpop-nonce' });
    expect(received).toHaveLength(1);
  });

  it('is fetched for players that send their own requests, and only where it is old', async () => {
    const { client, received } = await clientOf([refusal(401, 'unauthenticated', { 'DPoP-Nonce': 'n' })]);
    await client.freshen(request);
    await client.freshen(request);
    expect(received.map(({ headers, body }) => [headers, body])).toEqual([[{}, undefined]]);
    expect(client.nonces.last).toBe('n');
    expect([client.nonces.isFresh(NOW_MS + 239_999), client.nonces.isFresh(NOW_MS + 240_000)]).toEqual([true, false]);
  });
});

describe('a clock that is wrong', () => {
  const noon = { Date: 'Mon, 23 Nov 2026 12:00:00 GMT', 'DPoP-Nonce': 'n' };

  it.each([-3_600_000, 3_600_000, -31_536_000_000])('by %i ms is set by the server’s, and the proof made anew', async (offMs) => {
    const { client, received } = await clientOf([refusal(401, 'invalid-dpop-proof', noon), granted, granted], NOW_MS + offMs);
    await client.send(request);
    await client.send(request);
    expect(received.map(({ claims }) => claims['iat'])).toEqual([(NOW_MS + offMs) / 1000, NOW_MS / 1000, NOW_MS / 1000]);
    isFresh(received);
  });

  it('is not blamed for a proof that is refused for something else', async () => {
    const { client, received } = await clientOf([refusal(401, 'invalid-dpop-proof', noon)]);
    await expect(client.send(request)).rejects.toMatchObject({ code: 'invalid-dpop-proof', action: 'contact-support' });
    expect(received).toHaveLength(1);
  });
});

describe('a server that is away', () => {
  const busy = refusal(503, 'unavailable', { 'Retry-After': '2' });

  it.each<[string, Scripted, number]>([
    ['does not answer', 'away', 300],
    ['is unavailable', busy, 2_000],
    ['is limiting', refusal(429, 'rate-limited', { 'Retry-After': '1' }), 1_000],
  ])('and %s is asked again, with a fresh proof', async (_, answer, leastMs) => {
    const { client, received, slept } = await clientOf([answer, answer, granted]);
    await client.send(request);
    isFresh(received);
    expect(received).toHaveLength(3);
    expect(slept.every((ms) => ms >= leastMs && ms < leastMs * 3.1)).toBe(true);
  });

  it.each<[Scripted, object]>([
    ['away', { code: 'network', action: 'try-again-later', status: undefined }],
    [busy, { code: 'unavailable', action: 'try-again-later', status: 503, retryAfterSeconds: 2 }],
  ])('for long ends in an error (%j)', async (answer, error) => {
    const { client, received } = await clientOf([answer, answer, answer, granted]);
    await expect(client.send(request)).rejects.toMatchObject(error);
    expect(received).toHaveLength(3);
  });

  it('for longer than anybody waits ends at once', async () => {
    const { client, received, slept } = await clientOf([refusal(503, 'unavailable', { 'Retry-After': '60' })]);
    await expect(client.send(request)).rejects.toMatchObject({ retryAfterSeconds: 60 });
    expect([received.length, slept]).toEqual([1, []]);
  });

  it.each(['invalid-token', 'device-revoked', 'kid-not-in-token', 'rental-expired', 'cookie-bound-elsewhere'])('is not what %s means', async (code) => {
    const { client, received } = await clientOf([refusal(code === 'invalid-token' ? 401 : 403, code), granted]);
    await expect(client.send(request)).rejects.toMatchObject({ code });
    expect(received).toHaveLength(1);
  });
});
