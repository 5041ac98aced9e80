import { CookieIssued, type CookieRef, type CookieView, operations } from '@latchkey/contracts';
import { Outbox } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { adoptedAccountId } from './cookie.js';
import { CookieStore } from './cookie-store.js';
import { GetCookie } from './get-cookie.js';

/** Takes a cookie that its merchant made up for one of ours. */
@Injectable()
export class AdoptCookie {
  constructor(
    private readonly outbox: Outbox,
    private readonly store: CookieStore,
    private readonly getCookie: GetCookie,
  ) {}

  /** The cookie as it stands, made before where nobody had. It is shown as any other: what the registry has bound, is bound. */
  async adopt({ merchantId, cookie }: CookieRef): Promise<CookieView | 'cookie-unknown'> {
    const known = await this.getCookie.get({ merchantId, cookie });
    if (known !== 'cookie-unknown') return known;
    await this.outbox.transaction(async (tx) => {
      const made = await this.store.insertAdopted(tx, { merchantId, cookie, accountId: adoptedAccountId(cookie), lifetimeSeconds: operations.LIFETIME_SECONDS_MAX });
      // Another request was faster, and has said so.
      if (made) tx.append(CookieIssued, { merchantId, cookie, accountId: made.accountId, expiresAt: made.expiresAt.toISOString() });
    });
    return this.getCookie.get({ merchantId, cookie });
  }
}
