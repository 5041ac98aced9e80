import { FakeDevice, type FakeLicenseAnswer } from '@latchkey/kits';
import type { Outcome } from '../history.js';
import type { Terms } from '../operation.js';
import type { Random } from '../random.js';
import type { Seller } from '../system/target.js';
import { type GatewayAnswer, callGateway, outcomeOf, outcomeOfLicense } from './answers.js';
import type { HeldToken, Order } from './ledger.js';
import { within } from './within.js';
import { pause, type World } from './world.js';

/** Longer than a token is waited for, and than a licence server waits for its parts. */
const DEVICE_TIMEOUT_MS = 10_000;
const RETRY_PAUSE_MS = { least: 150, most: 900 };

/** One who does things to the system and records honestly what came of them. Every choice is the actor's own random's. */
export class Actor {
  constructor(
    readonly world: World,
    readonly name: string,
    readonly random: Random,
  ) {}

  /** The same one in another merchant's name. */
  as(seller: Seller): Actor {
    return seller === this.world.seller ? this : new Actor({ ...this.world, seller }, this.name, this.random);
  }

  /** The same operation again until somebody knows what came of it, or the run is over. */
  async persist(attempt: () => Promise<Outcome>): Promise<Outcome> {
    for (;;) {
      const outcome = await attempt();
      if (outcome.kind !== 'unknown' || this.world.over.aborted) return outcome;
      await pause(this.random.between(RETRY_PAUSE_MS.least, RETRY_PAUSE_MS.most), this.world.over);
    }
  }

  /** A cookie of the account, or undefined where none was to be had. */
  async cookie(accountId: string, ttlSeconds?: number): Promise<string | undefined> {
    const body = { accountId, ...(ttlSeconds !== undefined && { ttlSeconds }) };
    const outcome = await this.persist(() =>
      this.#run({ type: 'cookie', ...body }, async () => outcomeOf(await this.#call('POST', '/v1/cookies', body), ['cookie', 'expiresAt'])),
    );
    return outcome.kind === 'ok' ? String(outcome.value['cookie']) : undefined;
  }

  /** Has a device register at the licence service from which this merchant's tokens come. */
  async registerUpstream(cookie: string, deviceId: string): Promise<void> {
    const asked = await this.persist(async () => {
      const answer = await this.#call('POST', '/v1/registration-tokens', { cookie }).catch(() => undefined);
      return answer ? outcomeOf(answer, []) : { kind: 'unknown', why: 'no registration token' };
    });
    if (asked.kind === 'ok') this.world.target.provider.redeem(cookie, deviceId);
  }

  /** Has a device register with a cookie, with a fresh proof and registration token each time. */
  async register(device: FakeDevice, cookie: string): Promise<Outcome> {
    return this.persist(async () => {
      const asked = await this.#call('POST', '/v1/registration-tokens', { cookie }).catch(() => undefined);
      if (asked === undefined || asked.status >= 500) return { kind: 'unknown', why: 'no registration token' };
      if (asked.status !== 201) return outcomeOf(asked, []);
      const { outcome } = await this.#present('register', device, { token: String(asked.body['token']), cookie });
      return outcome;
    });
  }

  /** Publishes a purchase, under a new message id unless told, or posts it. One attempt. */
  async purchase(terms: Terms, via: 'amqp' | 'http', messageId = crypto.randomUUID()): Promise<Outcome> {
    if (via === 'http') {
      return this.#run({ type: 'purchase', via, terms }, async () => outcomeOf(await this.#call('POST', '/v1/purchases', { ...terms }), ['state']));
    }
    const data = { merchantId: this.world.seller.merchantId, ...terms, completedAt: new Date().toISOString() };
    return this.#run({ type: 'purchase', via, terms, messageId }, () => this.#publish('purchase.completed.v1', data, messageId));
  }

  /** Refunds a purchase. One attempt. */
  async refund(purchaseId: string, via: 'amqp' | 'http', messageId = crypto.randomUUID()): Promise<Outcome> {
    return this.#run({ type: 'refund', via, purchaseId }, async () => {
      if (via === 'http') return outcomeOf(await this.#call('POST', `/v1/purchases/${purchaseId}/refund`, {}), []);
      const data = { merchantId: this.world.seller.merchantId, purchaseId, refundedAt: new Date().toISOString() };
      return this.#publish('purchase.refunded.v1', data, messageId);
    });
  }

  /** Revokes a device. One attempt. */
  async revoke(deviceId: string): Promise<Outcome> {
    const path = `/v1/devices/${deviceId}/revoke`;
    return this.#run({ type: 'revoke', deviceId }, async () => outcomeOf(await this.#call('POST', path, {}), []));
  }

  /** Looks at a purchase. One attempt. */
  async show(purchaseId: string): Promise<Outcome> {
    const path = `/v1/purchases/${purchaseId}`;
    return this.#run({ type: 'show-purchase', purchaseId }, async () => outcomeOf(await this.#call('GET', path), ['state', 'code', 'tokenId']));
  }

  /** Asks for a purchase's token, once, and notes what is given with the order, for the device that it is for. */
  async token({ terms, devices, tokens, seller }: Order, waitSeconds: number): Promise<{ outcome: Outcome; held?: HeldToken }> {
    const { purchaseId, kids } = terms;
    let token: string | undefined;
    const outcome = await this.#run({ type: 'token', purchaseId, waitSeconds }, async () => {
      const answer = await this.as(seller).#call('GET', `/v1/purchases/${purchaseId}/token?waitSeconds=${waitSeconds}`);
      token = answer.status === 200 ? String(answer.body['token']) : undefined;
      return outcomeOf(answer, ['tokenId', 'deviceId', 'expiresAt']);
    });
    if (outcome.kind !== 'ok' || token === undefined) return { outcome };
    const tokenId = String(outcome.value['tokenId']);
    const device = devices.find(({ deviceId }) => deviceId === outcome.value['deviceId']) ?? devices[0]!;
    const held = tokens.get(tokenId) ?? { tokenId, token, purchaseId, kids, device };
    tokens.set(tokenId, held);
    return { outcome, held };
  }

  /** Asks for a token without a purchase, under one idempotency key until an answer comes. */
  async directToken(cookie: string, kids: readonly string[], device: FakeDevice): Promise<HeldToken | undefined> {
    let token: string | undefined;
    const idempotencyKey = crypto.randomUUID();
    const body = { cookie, contentId: 'film', kids: [...kids], rights: { type: 'purchase' } };
    const outcome = await this.persist(() =>
      this.#run({ type: 'direct-token', cookie, kids, idempotencyKey }, async () => {
        const answer = await this.#call('POST', '/v1/tokens', body, { 'idempotency-key': idempotencyKey });
        token = answer.status === 201 ? String(answer.body['token']) : undefined;
        return outcomeOf(answer, ['tokenId', 'deviceId', 'expiresAt']);
      }),
    );
    return outcome.kind === 'ok' && token !== undefined ? { tokenId: String(outcome.value['tokenId']), token, kids, device } : undefined;
  }

  /** Asks for a licence: with a fresh proof of this device (the token's own unless told), or the given one once more. */
  async license(
    held: HeldToken,
    how: { readonly device?: FakeDevice; readonly proof?: PresentedProof; readonly replica?: number } = {},
  ): Promise<{ outcome: Outcome; proof?: PresentedProof }> {
    return this.#present('license', how.device ?? held.device, { ...held, ...how });
  }

  /** A proof for a licence of this token, to be presented more than once. Undefined where the device has no nonce yet. */
  prove(held: HeldToken): PresentedProof {
    const jti = crypto.randomUUID();
    return { jti, text: held.device.proof({ licenseUrl: this.world.target.licenseUrl, token: held.token, jti }), replica: 0 };
  }

  async #present(
    type: 'license' | 'register',
    device: FakeDevice,
    what: { readonly token: string; readonly cookie?: string; readonly proof?: PresentedProof; readonly replica?: number } & Partial<HeldToken>,
  ): Promise<{ outcome: Outcome; proof?: PresentedProof }> {
    const { target } = this.world;
    const urls = target.licenseServerUrls();
    const replica = what.replica ?? this.random.between(0, urls.length - 1);
    const jti = what.proof?.jti ?? crypto.randomUUID();
    const { tokenId = '', purchaseId, kids = [], cookie = '' } = what;
    const asked = { deviceId: device.deviceId, replica, proofId: jti };
    let answer: FakeLicenseAnswer | undefined;
    const outcome = await this.#run(type === 'register' ? { type, cookie, ...asked } : { type, tokenId, purchaseId, kids, ...asked }, async () => {
      const request = {
        licenseUrl: target.licenseUrl,
        sendTo: `${urls[replica]!}/v1/licenses`,
        token: what.token,
        jti,
        ...(what.proof && { proof: what.proof.text }),
        ...(type === 'license' && { kids: [...kids] }),
      };
      answer = await within(DEVICE_TIMEOUT_MS, device.license(request));
      return outcomeOfLicense(answer);
    });
    return { outcome, ...(answer?.proof !== undefined && { proof: { jti, text: answer.proof, replica } }) };
  }

  async #publish(type: string, data: unknown, id: string): Promise<Outcome> {
    const outcome = await this.world.checkout.publish({ type, data, id });
    return outcome === 'accepted' ? { kind: 'ok', value: {} } : { kind: 'refused', status: 0, code: 'unroutable' };
  }

  #run(operation: Parameters<World['history']['run']>[1], work: () => Promise<Outcome>): Promise<Outcome> {
    return this.world.history.run(this.name, operation, work);
  }

  #call(method: string, path: string, body?: Record<string, unknown>, headers?: Record<string, string>): Promise<GatewayAnswer> {
    const { target, seller } = this.world;
    return callGateway(this.random.pick(target.gatewayUrls()) + path, seller.apiKey, { method, body, headers });
  }
}

/** A proof that has been, or is about to be, presented. */
export interface PresentedProof {
  readonly jti: string;
  readonly text: string;
  readonly replica: number;
}
