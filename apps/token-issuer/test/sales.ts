import { requests, type RequestInput, type Rights } from '@latchkey/contracts';
import { type ContentClaims, readToken } from '@latchkey/crypto';
import { type Issuer, MERCHANT, newPurchaseId, terms } from './issuer.js';

/** What a token of a sale is asked for with. */
export type SaleInput = RequestInput<typeof requests.issueCorrelatedToken>;

/** 16 random bytes as hex digits: a kid or a content key. */
export const newHex = (): string => crypto.randomUUID().replaceAll('-', '');

/** A rental that plays for an hour, until so many hours from now. */
export const rental = (untilHours = 240): Rights => ({ type: 'rental', availableUntil: new Date(Date.now() + untilHours * 3_600_000).toISOString(), playDurationSeconds: 3600 });

/** The claims of a content token. */
export function claimsOf(token: string): ContentClaims {
  const read = readToken(token);
  if (!read.ok || read.kind !== 'content') throw new Error('no content token');
  return read.claims;
}

/** An issuer at which things are sold, by the surface and by a checkout. */
export class Sales {
  constructor(private readonly issuer: Issuer) {}

  /** A customer with a device that is about to be sold something, and how that is said by the surface and by a checkout. */
  sale({ cookie = this.issuer.neighbours.cookie(), rights = { type: 'purchase' } }: { cookie?: string; rights?: Rights } = {}) {
    const binding = this.issuer.neighbours.bindings.get(cookie) ?? this.issuer.neighbours.bind(cookie);
    const kid = newHex();
    const input: SaleInput = { merchantId: MERCHANT, cookie, deviceId: binding.deviceId, contentId: `kid:${kid}`, kid, key: newHex(), rights, ttlSeconds: 864_000 };
    return { binding, input, purchase: (purchaseId = newPurchaseId()) => terms({ purchaseId, cookie, kids: [kid], rights }) };
  }

  ask(input: SaleInput) {
    return this.issuer.ask(requests.issueCorrelatedToken, input);
  }

  refusal(input: SaleInput): Promise<string> {
    return this.issuer.refusal(requests.issueCorrelatedToken, input);
  }

  /** The tokens of a cookie's device that were neither superseded nor revoked. */
  liveOf(cookie: string): Promise<{ token_id: string; purchase_id: string | null }[]> {
    return this.issuer.rows(
      `select token_id, purchase_id from tokens join cookie_joins using (merchant_id, device_id)
       where merchant_id = $1 and cookie = $2 and superseded_at is null and revoked_at is null order by issued_at`,
      [MERCHANT, cookie],
    );
  }

  /** Shifts a token so that it has so many hours left of a life of ten days. */
  age(tokenId: string, hoursLeft: number): Promise<unknown> {
    return this.issuer.rows(
      `update tokens set issued_at = clock_timestamp() - interval '10 days' + make_interval(hours => $2), expires_at = clock_timestamp() + make_interval(hours => $2)
       where token_id = $1`,
      [tokenId, hoursLeft],
    );
  }
}
