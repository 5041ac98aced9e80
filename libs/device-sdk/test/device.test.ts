import { describe, expect, it } from '@jest/globals';
import { textToBase64url } from '../src/base64url.js';
import { createDevice, memoryStore } from '../src/index.js';
import { refusal, type Scripted, scriptedServer } from './scripted-server.js';

const licenseUrl = 'https://play.example/v1/licenses';
const kid = '00112233445566778899aabbccddeeff';
const kidInEme = Buffer.from(kid, 'hex').toString('base64url');
const license = { keys: [{ kty: 'oct', kid: kidInEme, k: kidInEme }], type: 'temporary' };

async function deviceOf(...script: Scripted[]) {
  const { fetch, received } = scriptedServer(...script);
  return { device: await createDevice({ store: memoryStore(), licenseUrl, fetch }), received };
}

describe('a device', () => {
  it('registers with an empty body, and says to register again where the token is no longer good', async () => {
    const { device, received } = await deviceOf({ status: 200, body: license }, refusal(401, 'invalid-token'), refusal(403, 'cookie-bound-elsewhere'));
    await device.register('r');
    expect(received).toMatchObject([{ url: licenseUrl, method: 'POST', body: undefined, headers: { Authorization: 'DPoP r' }, claims: { htm: 'POST', htu: licenseUrl } }]);
    await expect(device.register('r')).rejects.toMatchObject({ code: 'invalid-token', action: 'register-again' });
    await expect(device.register('r')).rejects.toMatchObject({ action: 'use-bound-device' });
  });

  it('asks for licences by kids in either spelling, or as the CDM wrote it', async () => {
    const answer: Scripted = { status: 200, body: license };
    const { device, received } = await deviceOf(answer, answer, answer, answer);
    const written = `{"kids":["${kidInEme}"],"type":"temporary"}`;
    const bytes = new TextEncoder().encode(written);
    for (const request of [{ kids: [kid.toUpperCase()] }, { kids: [kidInEme], type: 'temporary' as const }, written, bytes]) expect(await device.license('t', request)).toEqual(license);
    expect(received.map(({ body }) => body)).toEqual([written, written, written, written]);
    expect(received[0]!.headers['Content-Type']).toBe('application/json');
  });

  it('collects its tokens beside the licence URL', async () => {
    const body = { tokens: [], more: false, licenseUrl };
    const { device, received } = await deviceOf({ status: 200, body });
    expect(await device.tokens('t')).toEqual(body);
    expect(received).toMatchObject([{ url: 'https://play.example/v1/device/tokens', method: 'GET', body: undefined, claims: { htm: 'GET', htu: 'https://play.example/v1/device/tokens' } }]);
  });

  it('goes where the token says, when the app was told nothing', async () => {
    const { fetch, received } = scriptedServer({ status: 200, body: license });
    const device = await createDevice({ store: memoryStore(), fetch });
    const token = `e30.${textToBase64url(JSON.stringify({ aud: 'https://elsewhere.example/v1/licenses' }))}.x`;
    await device.license(token, { kids: [kid] });
    expect(received).toMatchObject([{ url: 'https://elsewhere.example/v1/licenses', claims: { htu: 'https://elsewhere.example/v1/licenses' } }]);
    await expect(device.license('t', { kids: [kid] })).rejects.toMatchObject({ code: 'no-license-url' });
  });

  it.each([[undefined], ['x'], [{}], [null]])('does not take %j for a licence or a list', async (body) => {
    const { device } = await deviceOf({ status: 200, body }, { status: 200, body });
    await expect(device.license('t', { kids: [kid] })).rejects.toMatchObject({ code: 'unexpected-answer' });
    await expect(device.tokens('t')).rejects.toMatchObject({ code: 'unexpected-answer' });
  });

  it('proves requests that somebody else sends, and learns from the answers', async () => {
    const { device } = await deviceOf(refusal(401, 'unauthenticated', { 'DPoP-Nonce': 'one' }));
    const request = { url: licenseUrl, method: 'POST', accessToken: 't' } as const;
    const nonceOf = (proof: string): unknown => (JSON.parse(Buffer.from(proof.split('.')[1]!, 'base64url').toString()) as { nonce?: unknown }).nonce;
    const headers = await device.headers(request);
    expect([headers.Authorization, nonceOf(headers.DPoP)]).toEqual(['DPoP t', 'one']);
    device.observe({ 'dpop-nonce': 'two' });
    expect(nonceOf((await device.headers(request)).DPoP)).toBe('two');
    device.observe(new Headers({ 'DPoP-Nonce': 'three' }));
    device.observe({});
    expect(nonceOf(await device.proof(request))).toBe('three');
  });
});
