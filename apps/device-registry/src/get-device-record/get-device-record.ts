import { type CookieRef, type DeviceRecord, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Injectable } from '@nestjs/common';
import { BindingStore } from '../binding-store.js';
import { recordOf } from '../device.js';
import { KnownCookieStore } from '../known-cookies/known-cookie-store.js';

/** Less than our own asker waits, so that it hears `unavailable` from us and not from its own clock. */
const ASK_TIMEOUT_MS = 3_000;

/** Record retrieval: the device that is bound to a cookie. */
@Injectable()
export class GetDeviceRecord {
  constructor(
    private readonly bindings: BindingStore,
    private readonly knownCookies: KnownCookieStore,
    private readonly requests: Requests,
  ) {}

  /**
   * The record, or why there is none. A cookie that was not heard of is asked for at its owner, because `CookieIssued`
   * may still be under way to us while the merchant holds the cookie already.
   */
  async get(ref: CookieRef): Promise<DeviceRecord | 'device-not-registered' | 'cookie-unknown'> {
    const [binding] = await this.bindings.findMany([ref]);
    if (binding) return recordOf(binding);
    return (await this.knownCookies.has(ref)) || (await this.isKnownToOwner(ref)) ? 'device-not-registered' : 'cookie-unknown';
  }

  private async isKnownToOwner({ merchantId, cookie }: CookieRef): Promise<boolean> {
    const { cookies } = await this.requests.ask(requests.lookUpCookies, { cookies: [{ merchantId, cookie }] }, ASK_TIMEOUT_MS);
    return cookies.length > 0;
  }
}
