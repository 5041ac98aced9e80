import { type CookieRef, type CookieView, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Injectable } from '@nestjs/common';
import { stateOf, viewOf } from './cookie.js';
import { CookieStore } from './cookie-store.js';

/** Less than our own asker waits, so that it hears `unavailable` from us and not from its own clock. */
const ASK_TIMEOUT_MS = 3_000;

/** Shows a cookie to its merchant. */
@Injectable()
export class GetCookie {
  constructor(
    private readonly store: CookieStore,
    private readonly requests: Requests,
  ) {}

  /**
   * The cookie, or that the merchant has no such one. A cookie that is not known to be bound is asked for at the
   * registry, because a device that was just answered "bound" may be ahead of `DeviceRegistered`. What the registry says
   * is not stored: its event will, and reading stays free of writes. When it does not answer, neither do we
   * (`unavailable`): a guess of `pending` could send a customer through registration twice.
   */
  async get(ref: CookieRef): Promise<CookieView | 'cookie-unknown'> {
    const cookie = await this.store.find(ref);
    if (!cookie) return 'cookie-unknown';
    const state = stateOf(cookie, cookie.now);
    return viewOf(cookie, state !== 'bound' && (await this.isBoundAtRegistry(ref)) ? 'bound' : state);
  }

  private async isBoundAtRegistry({ merchantId, cookie }: CookieRef): Promise<boolean> {
    const { bindings } = await this.requests.ask(requests.lookUpBindings, { cookies: [{ merchantId, cookie }] }, ASK_TIMEOUT_MS);
    return bindings.length > 0;
  }
}
