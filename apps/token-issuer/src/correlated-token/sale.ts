import type { CookieRef, PurchaseState, Rights } from '@latchkey/contracts';
import type { DirectTokenRefusal } from '../issue-token/direct-token.js';
import { type BoundDevice, isOver, type KnownCookie, type Purchase, refuseDevice } from '../purchase.js';
import { keyOf } from '../rows.js';
import { type CurrentToken, isDueForRenewal } from '../token.js';

/** What is sold: one key to one customer, to keep or for a time. Whoever asks for it again asks for the same sale. */
export interface Sale extends CookieRef {
  readonly kid: string;
  readonly rightsType: Rights['type'];
}

/** The token of a sale of which no purchase has come, as it is remembered. */
export interface CorrelatedToken extends Sale {
  readonly tokenId: string;
  readonly contentId: string;
  readonly rights: Rights;
  /** The first token of the sale: every later one goes on with its play clock. */
  readonly playClock: string;
  /** The token itself; undefined where it was superseded, or forgotten long after its expiry. */
  readonly token?: CurrentToken;
  readonly revoked: boolean;
}

/** The purchase that a sale goes by: the newest open one, or else the newest that was not rejected. */
export interface PurchaseOfSale {
  readonly purchaseId: string;
  readonly state: PurchaseState;
  readonly rights: Rights;
  /** What its live token opens, if it has one: of one that it adopted, what was asked for then. */
  readonly tokenRights?: Rights;
}

/** What a token of a sale is asked for with. */
export interface SaleRequest {
  readonly deviceId: string;
  readonly contentId: string;
  readonly rights: Rights;
}

/** Under the lock of the sale's join. */
export interface SaleFacts {
  readonly cookie: KnownCookie;
  readonly purchase?: PurchaseOfSale;
  readonly correlated?: CorrelatedToken;
  readonly now: Date;
}

/** What becomes of the request: what stands is answered, by its purchase where there is one; else a token is issued. */
export type SaleDecision =
  | { readonly kind: 'refuse'; readonly code: DirectTokenRefusal | 'purchase-refunded' }
  | { readonly kind: 'ask-purchase'; readonly purchaseId: string }
  | { readonly kind: 'answer'; readonly token: CurrentToken }
  | {
      readonly kind: 'issue';
      readonly device: BoundDevice;
      readonly contentId: string;
      readonly rights: Rights;
      /** The clock to go on with; undefined where this is the first token of the sale. */
      readonly playClock?: string;
    };

/** The key under which maps hold something of a sale. */
export function saleKey({ merchantId, cookie, kid, rightsType }: Sale): string {
  // The cookie may hold a slash, so it comes last.
  return keyOf(merchantId, `${kid}/${rightsType}/${cookie}`);
}

/** The sale that a purchase is of; undefined where it is of several keys: nothing else asks for those together. */
export function saleOf({ merchantId, cookie, kids, rights }: Pick<Purchase, 'merchantId' | 'cookie' | 'kids' | 'rights'>): Sale | undefined {
  return kids.length === 1 ? { merchantId, cookie, kid: kids[0]!, rightsType: rights.type } : undefined;
}

/**
 * Whether nothing of a purchase opens any more, so that who rents again has bought again. A token that it adopted may end
 * later than it: while that stands, another one beside it would be a second token of one sale, with a play clock of its own.
 */
export function isPurchaseOver({ rights, tokenRights }: PurchaseOfSale, now: Date): boolean {
  return isOver(rights, now) && (tokenRights === undefined || isOver(tokenRights, now));
}

/**
 * Judges a request for the token of a sale. A refund closes it where no other purchase of it is open: a call that is repeated
 * must not bring the film back. What was sold to a device before its merchant stopped selling to such stays sold.
 */
export function decideSale(request: SaleRequest, { cookie, purchase, correlated, now }: SaleFacts): SaleDecision {
  const { device } = cookie;
  if (!device) return { kind: 'refuse', code: cookie.expiresAt ? 'device-not-registered' : 'cookie-unknown' };
  const refusal = refuseDevice(request, { ...device, confidenceRefused: false });
  if (refusal) return { kind: 'refuse', code: refusal };
  if (purchase?.state === 'refunded') return { kind: 'refuse', code: 'purchase-refunded' };
  if (purchase && !isPurchaseOver(purchase, now)) return { kind: 'ask-purchase', purchaseId: purchase.purchaseId };
  if (correlated?.revoked) return { kind: 'refuse', code: 'device-revoked' };
  if (correlated && !isOver(correlated.rights, now)) {
    const { token, contentId, rights, playClock } = correlated;
    return token && !isDueForRenewal(token, now) ? { kind: 'answer', token } : { kind: 'issue', device, contentId, rights, playClock };
  }
  if (device.confidenceRefused) return { kind: 'refuse', code: 'device-confidence-refused' };
  return { kind: 'issue', device, contentId: request.contentId, rights: request.rights };
}

/** What a purchase does with the token that its sale has already. */
export type Adoption =
  | { readonly kind: 'adopt'; readonly token: CurrentToken; readonly playClock?: string }
  /** It gets a token of its own, in the place of the one that there is. */
  | { readonly kind: 'replace'; readonly playClock?: string };

/** Judges what becomes of a sale's token when a purchase of it is issued to the same device. */
export function decideAdoption({ token, rights, playClock, revoked }: CorrelatedToken, deviceId: string, now: Date): Adoption {
  if (isOver(rights, now)) return { kind: 'replace' };
  const clock = rights.type === 'rental' ? playClock : undefined;
  const works = token !== undefined && !revoked && token.deviceId === deviceId && token.expiresAt > now;
  return works ? { kind: 'adopt', token, playClock: clock } : { kind: 'replace', playClock: clock };
}
