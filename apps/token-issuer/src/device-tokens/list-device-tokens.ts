import type { CookieRef, DeviceTokens, RequestInput, requests } from '@latchkey/contracts';
import { Injectable } from '@nestjs/common';
import { CookieAuthorities } from '../cookie-authorities.js';
import { findWaiting } from '../purchase-store.js';
import { SettleWaiting } from '../register-device/settle-waiting.js';
import { keyOf, Reader } from '../rows.js';
import { findLiveTokensOfDevice } from '../token-store.js';
import { fitIntoAnswer, LISTED_TOKENS_MAX, type LiveToken, readStoredToken } from './device-tokens.js';

type ListInput = RequestInput<typeof requests.listDeviceTokens>;

/** The live tokens of a device, or why it is shown none. */
export type DeviceTokensResult =
  | { readonly kind: 'list'; readonly listed: DeviceTokens }
  | { readonly kind: 'refuse'; readonly code: 'device-revoked' | 'cookie-bound-elsewhere' };

/** Shows a device the tokens that work for it now. It renews none: that is the merchant's to ask for. */
@Injectable()
export class ListDeviceTokens {
  constructor(
    private readonly reader: Reader,
    private readonly authorities: CookieAuthorities,
    private readonly waiting: SettleWaiting,
  ) {}

  /**
   * The registry is asked each time, as for a purchase's token: what it has answered of a registration or a revocation
   * has to be seen here, whether or not the event has come. While it does not answer, this is `unavailable`.
   *
   * It knows devices by their cookies, so the cookies of the tokens are asked for too: a device that came with the token
   * of a cookie that is still free would otherwise be handed tokens after its revocation.
   */
  async list(input: ListInput): Promise<DeviceTokensResult> {
    const knowledge = await this.authorities.learnBindings(await this.cookiesOf(input));
    if (knowledge.revokedDevices.has(keyOf(input.merchantId, input.deviceId))) return { kind: 'refuse', code: 'device-revoked' };
    const bound = knowledge.facts.find(({ cookie, device }) => cookie === input.cookie && device)?.device;
    if (bound && (bound.deviceId !== input.deviceId || bound.evidence !== 'proof')) return { kind: 'refuse', code: 'cookie-bound-elsewhere' };
    if (bound && (await findWaiting(this.reader, [input])).length > 0) await this.waiting.settleNow(knowledge);
    return { kind: 'list', listed: fitIntoAnswer((await this.findLive(input)).map(({ shown }) => shown)) };
  }

  private async cookiesOf(input: ListInput): Promise<readonly CookieRef[]> {
    const cookies = new Set([input.cookie, ...(await this.findLive(input)).map(({ cookie }) => cookie)]);
    return [...cookies].map((cookie) => ({ merchantId: input.merchantId, cookie }));
  }

  private async findLive({ merchantId, deviceId }: ListInput): Promise<readonly LiveToken[]> {
    // One more than an answer holds, so that it can say whether there are others.
    const rows = await findLiveTokensOfDevice(this.reader, { merchantId, deviceId }, LISTED_TOKENS_MAX + 1);
    return rows.flatMap(({ token, purchaseId }) => readStoredToken(token, deviceId, purchaseId) ?? []);
  }
}
