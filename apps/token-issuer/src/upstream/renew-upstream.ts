import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { findContentKeys, wrappedKeysOf } from '../content-key-store.js';
import { cookieKey, readJoins } from '../cookie-join-store.js';
import { isOver, type Purchase } from '../purchase.js';
import { Reader } from '../rows.js';
import type { CurrentToken, MintedToken } from '../token.js';
import { problemOfUpstream } from './upstream-problem.js';
import { failureOf } from './upstream-retry.js';
import { UpstreamTokens } from './upstream-tokens.js';
import { Upstreams } from './upstreams.js';

const ATTEMPTS = 2;

/** Obtains what is to take the place of a purchase's token, before the transaction that puts it there. */
@Injectable()
export class RenewUpstream {
  constructor(
    private readonly upstreams: Upstreams,
    private readonly tokens: UpstreamTokens,
    private readonly reader: Reader,
    private readonly logger: Logger,
  ) {}

  /**
   * The token that was obtained; undefined where it is to be signed here; `unchanged` where the provider gave none and the one
   * that the player holds still works, or where the rental is over: whatever was asked for then would open it once more.
   * Throws where the provider gave none and the one that there is works no more.
   */
  async obtain(terms: Purchase, current: CurrentToken): Promise<MintedToken | 'unchanged' | undefined> {
    // Looked at first, so that nobody else's renewals cost a query more.
    if (!this.upstreams.of(terms.merchantId) || terms.kids.length > 1) return undefined;
    const { evidence } = (await readJoins(this.reader, [terms])).get(cookieKey(terms))!.device!;
    const account = this.upstreams.forDevice(terms.merchantId, evidence);
    if (!account) return undefined;
    if (isOver(terms.rights, new Date())) return 'unchanged';
    const wrappedKeys = wrappedKeysOf(await findContentKeys(this.reader, [terms]), terms.merchantId, terms.kids)!;
    const obtained = await this.tokens.obtain(account, { ...terms, deviceId: current.deviceId, evidence, wrappedKeys }, { attempts: ATTEMPTS });
    if (obtained.kind === 'token') return obtained.token;
    const { merchantId, purchaseId } = terms;
    this.logger.warn('a provider gave no token in the place of one', { merchantId, purchaseId, failure: failureOf(obtained) });
    if (current.expiresAt.getTime() <= Date.now()) throw problemOfUpstream(obtained);
    return 'unchanged';
  }
}
