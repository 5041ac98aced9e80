import { Outbox } from '@latchkey/outbox';
import { Logger } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { appendRejected } from '../accept-purchase/accept-purchases.js';
import { findContentKeys, wrappedKeysOf } from '../content-key-store.js';
import { knowledgeOf } from '../cookie-authorities.js';
import { cookieKey, readJoins } from '../cookie-join-store.js';
import { endOf, TokensForPurchases } from '../correlated-token/tokens-for-purchases.js';
import { holdCookies } from '../held-cookies.js';
import { decideWaiting, isOver, type Purchase } from '../purchase.js';
import { type EndOfWaiting, endWaiting, findPurchases, purchaseKey, type PurchaseRef } from '../purchase-store.js';
import { SettleWaiting } from '../register-device/settle-waiting.js';
import { Reader } from '../rows.js';
import type { MintedToken, TokenTerms } from '../token.js';
import { appendIssued } from '../token-mint.js';
import type { LeasedRow } from './leased-rows.js';
import type { UpstreamAccount } from './upstream-account.js';
import type { Refused, Unavailable } from './upstream-answer.js';
import { UpstreamJobs, type UpstreamWork } from './upstream-jobs.js';
import { UpstreamOrders } from './upstream-orders.js';
import { postponementOf } from './upstream-retry.js';
import { UpstreamTokens } from './upstream-tokens.js';
import { Upstreams } from './upstreams.js';

/**
 * Carries out the orders of tokens elsewhere: asks, and then judges the purchase anew under the locks, because a refund or a
 * revocation may have come while it asked. A token that is not wanted any more is thrown away: nobody has seen it.
 */
@Injectable()
export class FulfilOrders implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jobs: UpstreamJobs;

  constructor(
    upstreams: Upstreams,
    private readonly orders: UpstreamOrders,
    private readonly tokens: UpstreamTokens,
    private readonly purchaseTokens: TokensForPurchases,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly waiting: SettleWaiting,
    private readonly logger: Logger,
  ) {
    const claim: UpstreamWork['claim'] = (merchantId, limits) => orders.claim(merchantId, limits);
    this.jobs = new UpstreamJobs('fulfil-upstream-orders', upstreams.all, { claim, perform: (account, order) => this.fulfil(account, order) }, logger);
    orders.onPlaced(() => this.jobs.wake());
  }

  onApplicationBootstrap(): void {
    this.jobs.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.jobs.stop();
  }

  private async fulfil(account: UpstreamAccount, order: LeasedRow): Promise<void> {
    const terms = await this.termsOf(order);
    if (!terms) return void (await this.outbox.transaction((tx) => this.orders.finish(tx, order)));
    // A provider refuses a token of what is over again and again, or gives one that opens it once more.
    if (isOver(terms.rights, new Date())) return this.settle(order, terms, undefined);
    const obtained = await this.tokens.obtain(account, terms, { attempts: 1 });
    if (obtained.kind !== 'token') return this.putOff(order, obtained);
    return this.settle(order, terms, obtained.token);
  }

  private async settle(order: LeasedRow, terms: TokenTerms, token: MintedToken | undefined): Promise<void> {
    const end = await this.store(order, terms, token);
    this.waiting.report(end ? [end] : []);
  }

  /** What to ask for; undefined where the purchase waits no more. */
  private async termsOf(order: LeasedRow): Promise<(Purchase & TokenTerms) | undefined> {
    const ref = refOf(order);
    const purchase = (await findPurchases(this.reader, [ref])).get(purchaseKey(ref));
    if (purchase?.state !== 'awaiting-device' || !purchase.terms) return undefined;
    const { terms } = purchase;
    const device = (await readJoins(this.reader, [terms])).get(cookieKey(terms))?.device;
    const wrappedKeys = wrappedKeysOf(await findContentKeys(this.reader, [terms]), terms.merchantId, terms.kids);
    // An order is placed only where both are there, and neither is ever taken away.
    return { ...terms, deviceId: device!.deviceId, evidence: device!.evidence, wrappedKeys: wrappedKeys! };
  }

  /**
   * What was accepted is never given up: what a provider refuses is refused to this deployment, whose credentials, keys or
   * levels somebody may put right, and not to the customer who has paid.
   */
  private async putOff(order: LeasedRow, outcome: Refused | Unavailable): Promise<void> {
    const postponement = postponementOf(order, outcome, Math.random());
    await this.orders.postpone(order, postponement);
    const { failure, attempt } = postponement;
    const line = { ...namesOf(order), failure, attempt };
    if (outcome.kind === 'refused') this.logger.warn('a provider refused a token of an accepted purchase', line);
    else this.logger.info('a provider gave no answer for a token', line);
  }

  /** Ends the waiting of a purchase with its token, or as refused where none can be had. */
  private store(order: LeasedRow, { cookie, merchantId }: TokenTerms, token: MintedToken | undefined): Promise<EndOfWaiting | undefined> {
    const ref = refOf(order);
    return this.outbox.transaction(async (tx) => {
      const held = await holdCookies(tx, knowledgeOf([{ merchantId, cookie }]));
      const purchase = (await findPurchases(tx, [ref])).get(purchaseKey(ref));
      const finished = await this.orders.finish(tx, order);
      if (!finished || purchase?.state !== 'awaiting-device' || !purchase.terms) return undefined;
      const { terms } = purchase;
      const outcome = decideWaiting(terms, held.of(terms), held.now);
      if (outcome.kind === 'wait') throw new Error('a device that was bound is bound no more');
      if (outcome.kind === 'refuse' || !token) {
        const code = outcome.kind === 'refuse' ? outcome.code : 'unsupported-upstream';
        const end: EndOfWaiting = { ...ref, state: 'rejected', code };
        await endWaiting(tx, [end]);
        appendRejected(tx, terms, code, finished.correlationId);
        return end;
      }
      // Its sale may have got a token meanwhile, by a request that names no purchase: that one then is the purchase's.
      const prepared = await this.purchaseTokens.prepare(tx, [{ terms, device: outcome.device }], { signer: { obtained: token }, keys: new Map(), now: held.now });
      const { issued, ...rest } = prepared.of(terms)!;
      const end: EndOfWaiting = { ...ref, ...endOf({ issued, ...rest }) };
      await endWaiting(tx, [end]);
      await prepared.write();
      appendIssued(tx, issued, finished.correlationId);
      return end;
    });
  }
}

function refOf({ merchantId, id }: LeasedRow): PurchaseRef {
  return { merchantId, purchaseId: id };
}

function namesOf({ merchantId, id }: LeasedRow): { merchantId: string; purchaseId: string } {
  return { merchantId, purchaseId: id };
}
