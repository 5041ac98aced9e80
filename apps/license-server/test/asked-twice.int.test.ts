import { requests } from '@latchkey/contracts';
import { generateSigningKey, newId } from '@latchkey/crypto';
import { eventually, FakeDevice } from '@latchkey/kits';
import { Requests } from '@latchkey/messaging';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Bench,
  contentToken,
  insertSigningKey,
  KID,
  LICENSE_URL,
  openBenchWithReplica,
  OTHER_KID,
  registrationToken,
  type Replica,
  TOKENS_URL,
} from './bench.js';

// Whatever the licence server remembers, the second answer must be the first one: a cache that is filled before its
// content was checked refuses once and grants from then on. Three times, because the second may still fill it.
const TIMES = 3;
const ASSERTED = 'a1'.repeat(16);

let bench: Bench & { replica: Replica };

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());

async function repeatedly<Answer>(ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let time = 0; time < TIMES; time += 1) answers.push(await ask());
  return answers;
}
const always = <Answer>(answer: Answer): Answer[] => Array.from({ length: TIMES }, () => answer);

async function license(device: FakeDevice, token: string, kids = [KID]): Promise<string> {
  const answer = await bench.replica.ask(device, { token, kids });
  return answer.body.code ?? String(answer.status);
}

async function collect(device: FakeDevice, token: string): Promise<string> {
  const nonce = (await fetch(`${bench.replica.url}/v1/device/tokens`)).headers.get('dpop-nonce');
  const dpop = device.proof({ licenseUrl: LICENSE_URL, htm: 'GET', htu: TOKENS_URL, token, nonce });
  const answer = await fetch(`${bench.replica.url}/v1/device/tokens`, { headers: { authorization: `DPoP ${token}`, dpop } });
  const body = (await answer.json()) as { code?: string };
  return body.code ?? String(answer.status);
}

async function verify(token: string): Promise<string> {
  const question = { merchantId: 'm1', deviceId: ASSERTED, drm: 'playready', token } as const;
  const verdict = await new Requests(bench.broker).ask(requests.verifyLicense, question);
  return verdict.allow ? '200' : verdict.code;
}

/** The same bytes under another signature of the right form: by a key that is not the issuer's, under the issuer's id. */
function forger(): Bench {
  return { ...bench, signingKey: { ...generateSigningKey(), keyId: bench.signingKey.keyId } };
}

const toProve = (device: FakeDevice) => ({ cnf: { jkt: device.deviceId } });
const toAssert = { cnf: undefined, device: ASSERTED };

describe.each([
  ['POST /v1/licenses', license, toProve],
  ['GET /v1/device/tokens', collect, toProve],
  ['license-server.verify', (_: FakeDevice, token: string) => verify(token), () => toAssert],
] as const)('a token sent again to %s', (_, ask, claimsFor) => {
  it('is refused each time if it was forged, while the genuine one is granted each time', async () => {
    const device = new FakeDevice();
    const claims = { jti: newId('tok'), ...claimsFor(device) };
    const forged = contentToken(forger(), device, claims);
    expect(await repeatedly(() => ask(device, forged))).toEqual(always('invalid-token'));
    const genuine = contentToken(bench, device, claims);
    expect(await repeatedly(() => ask(device, genuine))).toEqual(always('200'));
    expect(await repeatedly(() => ask(device, forged))).toEqual(always('invalid-token'));
  });

  it('is refused each time if it is a registration token that was forged', async () => {
    const device = new FakeDevice();
    const forged = registrationToken(forger());
    const bound = bench.registry.asked.length;
    expect(await repeatedly(() => ask(device, forged))).toEqual(always('invalid-token'));
    expect(bench.registry.asked).toHaveLength(bound);
  });

  it('is refused each time if its signature is that of another token', async () => {
    const device = new FakeDevice();
    const [one, other] = [contentToken(bench, device, claimsFor(device)), contentToken(bench, device, claimsFor(device))];
    const swapped = `${one.slice(0, one.lastIndexOf('.'))}${other.slice(other.lastIndexOf('.'))}`;
    expect(await repeatedly(() => ask(device, one))).toEqual(always('200'));
    expect(await repeatedly(() => ask(device, swapped))).toEqual(always('invalid-token'));
  });

  it('is refused until its signing key is known, and granted from then on', async () => {
    const device = new FakeDevice();
    const later = { ...bench, signingKey: generateSigningKey() };
    const token = contentToken(later, device, claimsFor(device));
    expect(await repeatedly(() => ask(device, token))).toEqual(always('invalid-token'));
    await insertSigningKey(later);
    expect(await repeatedly(() => ask(device, token))).toEqual(always('200'));
  });
});

describe('a token that is known to be genuine', () => {
  it('opens nothing for another device, whichever asks first', async () => {
    const [owner, thief] = [new FakeDevice(), new FakeDevice()];
    const token = contentToken(bench, owner);
    expect(await repeatedly(() => license(thief, token))).toEqual(always('invalid-token'));
    expect(await repeatedly(() => license(owner, token))).toEqual(always('200'));
    expect(await repeatedly(() => license(thief, token))).toEqual(always('invalid-token'));
  });

  it('opens no other key after the one that it has', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    expect(await license(device, token)).toBe('200');
    expect(await repeatedly(() => license(device, token, [OTHER_KID]))).toEqual(always('kid-not-in-token'));
  });

  it('is refused each time once it is revoked, or its device', async () => {
    const device = new FakeDevice();
    const other = contentToken(bench, device);
    const jti = newId('tok');
    const doomed = contentToken(bench, device, { jti });
    for (const token of [other, doomed]) expect(await license(device, token)).toBe('200');
    await bench.revokeToken(jti);
    await eventually(async () => expect(await license(device, doomed)).toBe('invalid-token'));
    expect(await repeatedly(() => license(device, doomed))).toEqual(always('invalid-token'));
    expect(await repeatedly(() => license(device, other))).toEqual(always('200'));
    await bench.revokeDevice(device.deviceId);
    await eventually(async () => expect(await license(device, other)).toBe('device-revoked'));
    for (const token of [other, doomed]) expect(await repeatedly(() => license(device, token))).toEqual(always('device-revoked'));
  });
});

describe('a nonce', () => {
  it('is good each time if it is ours, and refused each time if not', async () => {
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const nonce = (await bench.replica.ask(device, { token })).headers.get('dpop-nonce')!;
    const ask = async (sent: string) => (await bench.replica.ask(device, { token, nonce: sent })).body.code ?? '200';
    const foreign = `${nonce.slice(0, -4)}AAAA`;
    expect(await repeatedly(() => ask(foreign))).toEqual(always('use-dpop-nonce'));
    expect(await repeatedly(() => ask(nonce))).toEqual(always('200'));
    expect(await repeatedly(() => ask(foreign))).toEqual(always('use-dpop-nonce'));
  });
});
