import type { DeviceTokenRights, License } from '@latchkey/device-sdk';
import { aBoundDevice, type BoundDevice } from './a-bound-device.js';
import type { Latchkey } from './latchkey.js';
import { MerchantClient } from './merchant-client.js';
import { randomHex } from './random-hex.js';

/** What is bought; whatever is left out is made up. */
export interface PurchaseOptions {
  /** Whose device it is bought for; by default a new one. */
  readonly viewer?: BoundDevice;
  /** A cookie in place of a viewer: the purchase waits until a device is bound to it. */
  readonly cookie?: string;
  readonly purchaseId?: string;
  readonly contentId?: string;
  /** Content keys by their kids, 32 hex digits each; they are stored first. By default one that is new. */
  readonly keys?: Readonly<Record<string, string>>;
  /** By default bought for ever. */
  readonly rights?: DeviceTokenRights;
}

/** A purchase that Latchkey has accepted. */
export class Purchase {
  constructor(
    private readonly merchant: MerchantClient,
    readonly purchaseId: string,
    readonly cookie: string,
    readonly contentId: string,
    readonly keys: Readonly<Record<string, string>>,
    readonly rights: DeviceTokenRights,
    readonly viewer: BoundDevice | undefined,
  ) {}

  get kids(): readonly string[] {
    return Object.keys(this.keys);
  }

  /**
   * Its content token, waited for up to 20 s. Asked for anew each time, as a merchant's back end does: a token lives a day,
   * and one that is over is replaced. Rejects with `UnexpectedAnswer`: `token-not-issued`, `purchase-refunded`, …
   */
  async token(): Promise<string> {
    return (await this.merchant.call<{ token: string }>('GET', `/v1/purchases/${this.purchaseId}/token?waitSeconds=20`)).token;
  }

  /** What its viewer's device is answered when it wants to play: a licence, or the SDK's `DeviceError` with a `code`. */
  async license(): Promise<License> {
    if (!this.viewer) throw new Error('This purchase was made for a cookie alone: it has no device to play on.');
    return this.viewer.device.license(await this.token(), { kids: this.kids });
  }

  /** `awaiting-device`, `issued`, `rejected` or `refunded`. */
  async state(): Promise<string> {
    return (await this.merchant.call<{ state: string }>('GET', `/v1/purchases/${this.purchaseId}`)).state;
  }

  /** Gives the money back: its token stops working. */
  async refund(reason?: string): Promise<void> {
    await this.merchant.call('POST', `/v1/purchases/${this.purchaseId}/refund`, reason === undefined ? {} : { reason });
  }
}

/**
 * A purchase, told to the gateway over HTTP with its content keys stored before. For a viewer it resolves once the token is
 * issued, for a cookie alone once it was accepted. Rejects with `UnexpectedAnswer` where the gateway refuses.
 */
export async function aPurchase(latchkey: Latchkey, options: PurchaseOptions = {}): Promise<Purchase> {
  const { purchaseId = `order-${randomHex()}`, contentId = 'film-42', rights = { type: 'purchase' } } = options;
  const keys = options.keys ?? { [randomHex()]: randomHex() };
  const viewer = options.viewer ?? (options.cookie === undefined ? await aBoundDevice(latchkey) : undefined);
  const cookie = options.cookie ?? viewer!.cookie;
  const merchant = new MerchantClient(latchkey);
  for (const [kid, key] of Object.entries(keys)) await merchant.call('PUT', `/v1/content-keys/${kid}`, { key, contentId });
  await merchant.call('POST', '/v1/purchases', { purchaseId, cookie, contentId, kids: Object.keys(keys), rights });
  const purchase = new Purchase(merchant, purchaseId, cookie, contentId, keys, rights, viewer);
  if (viewer) await purchase.token();
  return purchase;
}
