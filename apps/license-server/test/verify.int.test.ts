import { type ErrorCode, Problem, type RequestInput, requests } from '@latchkey/contracts';
import { generateSigningKey, newId } from '@latchkey/crypto';
import { createTestVhost, describeWithRabbit, eventually, FakeDevice } from '@latchkey/kits';
import { connectRabbit, Requests } from '@latchkey/messaging';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bench, contentToken, insertSigningKey, KID, nowSeconds, openBench, OTHER_KID, quiet, registrationToken, type Replica } from './bench.js';

const PLAYREADY = 'a1'.repeat(16);
const FAIRPLAY = 'b2'.repeat(20);
type Question = RequestInput<typeof requests.verifyLicense>;
type Claims = Parameters<typeof contentToken>[2];

/** The same on both buses, with two replicas that take turns. */
function suite(openBroker?: Parameters<typeof openBench>[0]): void {
  let bench: Bench;
  let replicas: readonly [Replica, Replica];
  let lastId = 0;

  beforeAll(async () => {
    bench = await openBench(openBroker);
    replicas = [await bench.start(), await bench.start()];
    await insertSigningKey(bench);
    await eventually(async () => expect(await ask({ token: 'x' })).toEqual({ allow: false, code: 'invalid-token' }));
  });
  afterAll(async () => bench?.close());
  beforeEach(() => {
    bench.registry.asked.length = 0;
    bench.registry.answer = async () => ({ outcome: 'bound' });
  });

  /** A content token for an asserted device, right but for what is said otherwise. */
  const asserted = (claims: Claims = {}): string => contentToken(bench, new FakeDevice(), { cnf: undefined, device: PLAYREADY, ...claims });
  const ask = (question: Partial<Question> & { token: string }) =>
    new Requests(bench.broker).ask(requests.verifyLicense, { merchantId: 'm1', deviceId: PLAYREADY, drm: 'playready', ...question });
  const codeOf = async (question: Parameters<typeof ask>[0]): Promise<string> => {
    const verdict = await ask(question);
    return verdict.allow ? 'allow' : verdict.code;
  };
  const purchase = (): string => `order-${(lastId += 1)}`;
  const told = (tokenId: string) => bench.heard.filter(({ data }) => data['tokenId'] === tokenId);
  const clocksOf = (subject: string) => bench.rows(`select from rental_clocks where subject = '${subject}'`);

  describe('a licence server that asks', () => {
    it('is told which kids it may licence, and with which rights', async () => {
      const rights = { type: 'rental', available_from: 1_700_000_000, available_until: 4_102_444_800, play_duration: 600 } as const;
      const token = asserted({ jti: 'tok_shown', kids: [KID, OTHER_KID], rights });
      const shown = { type: 'rental', availableFrom: '2023-11-14T22:13:20.000Z', availableUntil: '2100-01-01T00:00:00.000Z', playDurationSeconds: 600 };
      expect(await ask({ token })).toEqual({ allow: true, tokenId: 'tok_shown', kids: [KID, OTHER_KID], rights: shown });
      expect(await ask({ token, kids: [OTHER_KID] })).toEqual({ allow: true, tokenId: 'tok_shown', kids: [OTHER_KID], rights: shown });
    });

    it.each([
      ['playready', PLAYREADY, PLAYREADY.toUpperCase()],
      ['fairplay', FAIRPLAY, FAIRPLAY.toUpperCase()],
      ['widevine', 'WV_device-1/A+b==', 'WV_device-1/A+b=='],
      // Whoever revokes a device or buys for it names no DRM: what looks like hex has one spelling everywhere.
      ['widevine', PLAYREADY, PLAYREADY.toUpperCase()],
      ['other', 'd'.repeat(128), 'd'.repeat(128)],
    ] as const)('may write the id of a %s device as it has it', async (drm, device, deviceId) => {
      expect(await codeOf({ token: asserted({ device }), drm, deviceId })).toBe('allow');
    });

    it('is told no for another id, of the same form or of the same letters', async () => {
      expect(await codeOf({ token: asserted(), deviceId: 'a1'.repeat(15) + 'a2' })).toBe('device-mismatch');
      expect(await codeOf({ token: asserted({ device: 'Widevine-1' }), drm: 'widevine', deviceId: 'widevine-1' })).toBe('device-mismatch');
    });

    it.each<[string, () => string, Partial<Question>, ErrorCode]>([
      ['what is no token', () => 'a.b.c', {}, 'invalid-token'],
      ['a token whose end is cut off', () => asserted().slice(0, -4), {}, 'invalid-token'],
      ['a token that another key signed', () => contentToken({ ...bench, signingKey: generateSigningKey() }, new FakeDevice(), { cnf: undefined, device: PLAYREADY }), {}, 'invalid-token'],
      ['a token that has expired', () => asserted({ iat: nowSeconds() - 9, exp: nowSeconds() - 5 }), {}, 'invalid-token'],
      ['a token of another deployment', () => asserted({ aud: 'https://other.example/v1/licenses' }), {}, 'invalid-token'],
      ['a token of another issuer', () => asserted({ iss: 'somebody' }), {}, 'invalid-token'],
      ['a token of another merchant', () => asserted({ merchant: 'm2' }), {}, 'invalid-token'],
      ['a token of its own with another merchant’s key', () => asserted(), { merchantId: 'm2' }, 'invalid-token'],
      ['a token that names a key', () => contentToken(bench, new FakeDevice()), {}, 'invalid-token'],
      ['a registration token that names a key', () => registrationToken(bench, { cnf: { jkt: new FakeDevice().deviceId } }), {}, 'invalid-token'],
      ['a registration token of another merchant', () => registrationToken(bench, { merchant: 'm2' }), {}, 'invalid-token'],
      ['a kid that is not in the token', () => asserted(), { kids: [KID, OTHER_KID] }, 'kid-not-in-token'],
      ['content that is not there yet', () => asserted({ rights: { type: 'purchase', available_from: nowSeconds() + 60 } }), {}, 'rental-not-started'],
      ['a rental that is over', () => asserted({ rights: { type: 'rental', available_until: nowSeconds() - 1, play_duration: 60 } }), {}, 'rental-expired'],
    ])('is told no for %s', async (_, token, change, code) => {
      expect(await codeOf({ token: asserted() })).toBe('allow');
      expect(await ask({ token: token(), ...change })).toEqual({ allow: false, code });
      expect(bench.registry.asked).toEqual([]);
    });

    it('is told no for the key that a token names, also where it is named as the asserted id', async () => {
      const device = new FakeDevice();
      expect(await codeOf({ token: contentToken(bench, device), drm: 'other', deviceId: device.deviceId })).toBe('invalid-token');
      // And the other way round: the same id asserted is no key, and cannot be proved.
      const token = asserted({ device: device.deviceId });
      expect(await codeOf({ token, drm: 'other', deviceId: device.deviceId })).toBe('allow');
      expect((await replicas[0].ask(device, { token })).body.code).toBe('invalid-token');
    });

    it('is told no for a revoked token, and for a revoked device before that, at its own merchant alone', async () => {
      const [device, jti] = ['c3'.repeat(16), newId('tok')];
      const question = { token: asserted({ device, jti }), deviceId: device.toUpperCase() };
      const elsewhere = { ...question, token: asserted({ device, jti, merchant: 'm2' }), merchantId: 'm2' };
      expect([await codeOf(question), await codeOf(elsewhere)]).toEqual(['allow', 'allow']);
      await bench.revokeToken(jti);
      await eventually(async () => expect([await codeOf(question), await codeOf(question)]).toEqual(['invalid-token', 'invalid-token']), { timeoutMs: 2_000 });
      await bench.revokeDevice(device);
      await eventually(async () => expect([await codeOf(question), await codeOf(question)]).toEqual(['device-revoked', 'device-revoked']), { timeoutMs: 2_000 });
      expect(await codeOf(elsewhere)).toBe('allow');
    });
  });

  describe('a registration token', () => {
    it('binds the id that its licence server names, in its one spelling, and opens nothing', async () => {
      const token = registrationToken(bench, { jti: 'reg_1', cookie: 'cookie-7', account: 'alice', cookie_exp: Date.UTC(2100, 0, 1) / 1000 });
      const question = { token, deviceId: PLAYREADY.toUpperCase(), kids: [KID], confidence: 'hardware' as const };
      expect([await ask(question), await ask(question)]).toEqual(Array(2).fill({ allow: true, tokenId: 'reg_1', kids: [] }));
      const binding = { merchantId: 'm1', cookie: 'cookie-7', accountId: 'alice', cookieExpiresAt: '2100-01-01T00:00:00.000Z', evidence: 'asserted', deviceId: PLAYREADY, confidence: 'hardware' };
      expect(bench.registry.asked).toEqual([binding, binding]);
      expect(told('reg_1')).toEqual([]);
    });

    it.each<[string, ErrorCode]>([
      ['cookie-bound-elsewhere', 'cookie-bound-elsewhere'],
      ['device-revoked', 'device-revoked'],
      ['cookie-expired', 'invalid-token'],
    ])('that the registry refuses as %s is answered with %s, and told', async (outcome, code) => {
      bench.registry.answer = async () => ({ outcome });
      const jti = newId('reg');
      expect(await ask({ token: registrationToken(bench, { jti }) })).toEqual({ allow: false, code });
      await eventually(() => expect(told(jti)).toMatchObject([{ type: 'license.denied.v1', data: { deviceId: PLAYREADY, kids: [], code } }]));
    });

    it('of a device that is known here to be revoked is refused, whatever the registry says', async () => {
      const deviceId = 'd4'.repeat(16);
      await bench.revokeDevice(deviceId);
      await eventually(async () => expect(await codeOf({ token: registrationToken(bench), deviceId })).toBe('device-revoked'));
    });

    it('that has expired binds nobody', async () => {
      expect(await codeOf({ token: registrationToken(bench, { iat: nowSeconds() - 9, exp: nowSeconds() - 5 }) })).toBe('invalid-token');
      expect(bench.registry.asked).toEqual([]);
    });

    it('is unavailable where the registry does not answer, and nothing is allowed', async () => {
      bench.registry.answer = async () => Promise.reject(new Error('away'));
      await expect(ask({ token: registrationToken(bench) })).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
      expect(await codeOf({ token: asserted() })).toBe('allow');
    });
  });

  describe('what is told to the merchant', () => {
    it('is each licence that was allowed, and each that was refused to its own token', async () => {
      const jti = newId('tok');
      const token = asserted({ jti });
      await ask({ token, deviceId: PLAYREADY.toUpperCase() });
      await ask({ token, kids: [OTHER_KID] });
      await ask({ token, deviceId: 'e5'.repeat(16) });
      const data = { merchantId: 'm1', tokenId: jti, cookie: 'cookie-1', at: expect.any(String) };
      await eventually(() => expect(told(jti)).toHaveLength(3));
      expect(told(jti)).toEqual(
        expect.arrayContaining([
          { type: 'license.granted.v1', data: { ...data, deviceId: PLAYREADY, kids: [KID] } },
          { type: 'license.denied.v1', data: { ...data, deviceId: PLAYREADY, kids: [OTHER_KID], code: 'kid-not-in-token' } },
          { type: 'license.denied.v1', data: { ...data, deviceId: 'e5'.repeat(16), kids: [], code: 'device-mismatch' } },
        ]),
      );
    });

    it('is nothing of what another merchant did with its token', async () => {
      const [jti, after] = [newId('tok'), newId('tok')];
      await ask({ token: asserted({ jti }), merchantId: 'm2' });
      await ask({ token: asserted({ jti: after }), kids: [OTHER_KID] });
      await eventually(() => expect(told(after)).toHaveLength(1));
      expect(told(jti)).toEqual([]);
    });
  });

  describe('the play clock', () => {
    const rental = { type: 'rental', available_until: nowSeconds() + 3_600, play_duration: 600 } as const;
    const turnBack = (subject: string) => bench.rows(`update rental_clocks set started_at = started_at - interval '600 seconds' where subject = '${subject}'`);

    it('starts with the first licence that is allowed, and ends the rental at every replica', async () => {
      const order = purchase();
      const token = asserted({ purchase: order, rights: rental });
      expect(await codeOf({ token, kids: [OTHER_KID] })).toBe('kid-not-in-token');
      expect(await codeOf({ token, deviceId: 'e5'.repeat(16) })).toBe('device-mismatch');
      expect(await clocksOf(`purchase/${order}`)).toEqual([]);
      expect([await codeOf({ token }), await codeOf({ token })]).toEqual(['allow', 'allow']);
      await turnBack(`purchase/${order}`);
      expect([await codeOf({ token }), await codeOf({ token })]).toEqual(['rental-expired', 'rental-expired']);
      expect(await codeOf({ token: asserted({ purchase: order, rights: rental }) })).toBe('rental-expired');
    });

    it('does not start, and no licence is told, for what the database refuses', async () => {
      const [order, jti] = [purchase(), newId('tok')];
      expect(await codeOf({ token: asserted({ jti, purchase: order, rights: { ...rental, available_from: nowSeconds() + 600 } }) })).toBe('rental-not-started');
      await eventually(() => expect(told(jti)).toMatchObject([{ type: 'license.denied.v1', data: { code: 'rental-not-started' } }]));
      expect(await clocksOf(`purchase/${order}`)).toEqual([]);
    });

    it('is the one of licences that a device proves itself for', async () => {
      const [order, device] = [purchase(), new FakeDevice()];
      const ours = contentToken(bench, device, { purchase: order, rights: rental });
      expect((await replicas[0].ask(device, { token: ours })).status).toBe(200);
      await turnBack(`purchase/${order}`);
      expect(await codeOf({ token: asserted({ purchase: order, rights: rental }) })).toBe('rental-expired');
    });

    it('starts once for forty that ask at once, all of them are allowed, and nothing is marked as used', async () => {
      const order = purchase();
      const jti = newId('tok');
      const token = asserted({ jti, purchase: order, rights: rental });
      const marks = await bench.rows('select from replay_marks');
      const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf({ token })));
      expect(codes).toEqual(Array(40).fill('allow'));
      expect(await clocksOf(`purchase/${order}`)).toHaveLength(1);
      expect(await bench.rows('select from replay_marks')).toHaveLength(marks.length);
      await eventually(() => expect(told(jti)).toHaveLength(40));
    });
  });

  describe('what is kept', () => {
    it('nothing that was logged holds a token or a cookie', async () => {
      const token = asserted();
      await ask({ token });
      await ask({ token, kids: [OTHER_KID] });
      const log = bench.logged.join('');
      expect(log).toContain('a licence of a merchant’s server was refused');
      for (const secret of [token, 'cookie-1']) expect(log).not.toContain(secret);
    });

    it('metrics count by DRM and reason, apart from our own licences', async () => {
      for (let turn = 0; turn < 2; turn += 1) {
        await ask({ token: asserted() });
        await ask({ token: asserted(), deviceId: 'e5'.repeat(16) });
        await ask({ token: registrationToken(bench) });
      }
      const text = (await Promise.all(replicas.map(({ metrics }) => metrics.expose()))).join('');
      expect(text).toMatch(/latchkey_verifications_allowed_total\{kind="content",drm="playready"\} [1-9]/);
      expect(text).toMatch(/latchkey_verifications_allowed_total\{kind="registration",drm="playready"\} [1-9]/);
      expect(text).toMatch(/latchkey_verifications_refused_total\{code="device-mismatch",stage="binding",reason="other-device",drm="playready"\} [1-9]/);
      expect(text).toMatch(/latchkey_verifications_refused_total\{code="invalid-token",stage="token",reason="other-merchant",drm="playready"\} [1-9]/);
    });
  });

  describe('where the licence server does not know', () => {
    it('a question is unavailable: no replica serves', async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await expect(ask({ token: asserted() })).rejects.toBeInstanceOf(Problem);
      await expect(ask({ token: asserted() })).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
    });
  });
}

describe('a merchant’s licence server, on the in-process bus', () => suite());
describeWithRabbit('a merchant’s licence server, on RabbitMQ', () =>
  suite(async () => {
    const vhost = await createTestVhost();
    const broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'license-server-test', logger: quiet });
    return {
      broker,
      close: async () => {
        await broker.close();
        await vhost.close();
      },
    };
  }),
);
