import { requests } from '@latchkey/contracts';
import { generateDeviceKey } from '@latchkey/crypto';
import type { World } from '@latchkey/kits';
import { CookieAuthorities } from '../../src/cookie-authorities.js';
import { SettleWaiting } from '../../src/register-device/settle-waiting.js';
import { completed, type FakeBinding, type Issuer, MERCHANT, refunded, registered, revoked, terms } from '../issuer.js';
import { newHex } from '../sales.js';
import type { GivenEvent } from '../test-bus.js';
import { judgeSale } from './judge-issuer.js';

/**
 * What stands before the acts meet: a cookie, one whose device is bound, a purchase that waits, or one that is soon to
 * be renewed.
 */
export const starts = ['nothing', 'bound', 'waiting', 'issued'] as const;
export type Start = (typeof starts)[number];

/** What can happen to one sale: its customer's cookie, device, key and purchase. */
export const actNames = [
  'purchase',
  'purchase-call',
  'refund',
  'refund-call',
  'registration',
  'revocation',
  'expiry',
  'renewal',
  'sale-call',
  'key',
] as const;
export type ActName = (typeof actNames)[number];

/** An event of an act that is delivered again until it is done, as a broker does. */
type Events = readonly GivenEvent[];

/** One sale that no other schedule touches. */
class Sale {
  readonly kid = newHex();
  readonly key = newHex();
  readonly cookie: string;
  readonly purchase: ReturnType<typeof terms>;
  readonly deviceId = generateDeviceKey().deviceId;
  binding: FakeBinding | undefined;

  constructor(private readonly issuer: Issuer) {
    this.cookie = issuer.neighbours.cookie();
    this.purchase = terms({ cookie: this.cookie, kids: [this.kid] });
  }

  bind(): FakeBinding {
    this.binding ??= this.issuer.neighbours.bind(this.cookie, this.deviceId);
    return this.binding;
  }

  /** Brings the sale to where the acts begin. */
  async begin(start: Start, acts: readonly ActName[]): Promise<void> {
    const { issuer, cookie, purchase } = this;
    await issuer.ask(requests.putContentKey, { merchantId: MERCHANT, kid: this.kid, key: this.key });
    if (start === 'bound') await this.deliver([registered(this.bind())]);
    if (start === 'waiting') await this.deliver([completed(purchase)]);
    if (start === 'issued') {
      await this.deliver([registered(this.bind()), completed(purchase)]);
      await issuer.rows(
        `update tokens set issued_at = clock_timestamp() - interval '10 days',
           expires_at = clock_timestamp() + interval '1 hour'
         where purchase_id = $1`,
        [purchase.purchaseId],
      );
    }
    if (acts.includes('expiry')) {
      issuer.neighbours.cookies.get(cookie)!.expiresAt = new Date(Date.now() - 60_000).toISOString();
      const past = `clock_timestamp() - interval '1 minute'`;
      await issuer.rows(`update cookie_joins set expires_at = ${past} where cookie = $1`, [cookie]);
      await issuer.rows(
        `update purchases set cookie_expires_at = ${past} where cookie = $1 and cookie_expires_at is not null`,
        [cookie],
      );
    }
    if (acts.some((act) => ['registration', 'revocation', 'sale-call'].includes(act))) this.bind();
  }

  /** The events of an act, or undefined if it is a call. */
  eventsOf(act: ActName, id: string): Events | undefined {
    switch (act) {
      case 'purchase':
        return [completed(this.purchase, { id })];
      case 'refund':
        return [refunded(this.purchase, { id })];
      case 'registration':
        return [registered(this.bind(), { id })];
      case 'revocation':
        return [revoked(this.bind(), { id })];
      default:
        return undefined;
    }
  }

  async call(act: ActName): Promise<{ ok: boolean } | void> {
    const { issuer, purchase, kid, key } = this;
    const { merchantId, purchaseId } = purchase;
    switch (act) {
      case 'purchase-call':
        return issuer.bus.ask(requests.acceptPurchase.name, purchase);
      case 'refund-call':
        return issuer.bus.ask(requests.refundPurchase.name, { merchantId, purchaseId });
      case 'renewal':
        return issuer.bus.ask(requests.getPurchaseToken.name, { merchantId, purchaseId });
      case 'key':
        return issuer.bus.ask(requests.putContentKey.name, { merchantId, kid, key });
      case 'sale-call': {
        const { cookie, deviceId } = this;
        const input = {
          merchantId,
          cookie,
          deviceId,
          contentId: 'film-42',
          kid,
          key,
          rights: purchase.rights,
          ttlSeconds: 864_000,
        };
        return issuer.bus.ask(requests.issueCorrelatedToken.name, input);
      }
      default: {
        const knowledge = await issuer.app.get(CookieAuthorities).learnBindings([{ merchantId, cookie: this.cookie }]);
        return issuer.app.get(SettleWaiting).settleNow(knowledge);
      }
    }
  }

  /** Delivers events until each is done; the verdicts of what never is are told. */
  async deliver(events: Events): Promise<string[]> {
    let left = events;
    for (let attempt = 0; attempt < 3 && left.length > 0; attempt += 1) {
      const verdicts = await this.issuer.hear(...left);
      left = left.filter((_, index) => verdicts[index] !== 'done');
    }
    return left.map(([{ type }]) => `${type} is never done`);
  }
}

/**
 * A world in which acts on one sale meet. Acts of the same name are the same event twice, as two replicas may get it.
 */
export async function saleWorld(issuer: Issuer, start: Start, acts: readonly ActName[]): Promise<World> {
  const sale = new Sale(issuer);
  await sale.begin(start, acts);
  const ids = new Map(acts.map((act) => [act, crypto.randomUUID() as string]));
  const named = acts.map((act, index) => [acts.indexOf(act) === index ? act : `${act}-again`, act] as const);
  const work = Object.fromEntries(
    named.map(([name, act]) => {
      const events = sale.eventsOf(act, ids.get(act)!);
      return [name, () => (events ? issuer.hear(...events) : sale.call(act))];
    }),
  );
  return {
    work,
    judge: async (results) => {
      const breaches: string[] = [];
      for (const [name, result] of results) {
        if (result.status === 'rejected') breaches.push(`${name} failed: ${String(result.reason)}`);
      }
      for (const act of new Set(acts)) breaches.push(...(await sale.deliver(sale.eventsOf(act, ids.get(act)!) ?? [])));
      const accepted = (name: ActName): boolean => {
        const result = results.get(name);
        return result?.status === 'fulfilled' && (result.value as { ok?: boolean } | undefined)?.ok === true;
      };
      const facts = {
        ...sale.purchase,
        deviceId: sale.deviceId,
        refunded: acts.includes('refund') || accepted('refund-call'),
        accepted: start === 'waiting' || start === 'issued' || acts.includes('purchase') || accepted('purchase-call'),
        mustEnd: start === 'bound' || start === 'issued' || acts.includes('registration'),
      };
      return [...breaches, ...(await judgeSale(issuer, facts))];
    },
  };
}
