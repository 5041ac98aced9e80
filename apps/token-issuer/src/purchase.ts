import type { Evidence, PurchaseState, PurchaseView, Rights } from '@latchkey/contracts';

/** How long after its cookie's expiry a waiting purchase still waits: a bind that began in time may commit a little later. */
export const EXPIRY_GRACE_MS = 1_000;

/** Every reason for which a purchase ends without a token. */
export type RejectionCode = 'cookie-unknown' | 'cookie-expired' | 'kid-unknown' | 'device-revoked' | 'device-mismatch' | 'device-confidence-refused' | 'unsupported-upstream';

/** A purchase as its checkout states it. */
export interface Purchase {
  readonly merchantId: string;
  readonly purchaseId: string;
  readonly cookie: string;
  /** The device that the checkout expects; undefined where any will do. */
  readonly deviceId?: string;
  readonly contentId: string;
  readonly kids: readonly string[];
  readonly rights: Rights;
  readonly completedAt: string;
}

/** A purchase as it is kept. */
export interface StoredPurchase {
  readonly merchantId: string;
  readonly purchaseId: string;
  readonly state: PurchaseState;
  readonly code?: RejectionCode;
  /** Undefined where only the refund has come yet. */
  readonly terms?: Purchase;
  /** The device that its token was issued to. */
  readonly deviceId?: string;
  readonly tokenId?: string;
  /** The token whose play clock its renewals go on with; undefined where the clock is its own. */
  readonly playClock?: string;
  readonly acceptedAt: Date;
  readonly refundedAt?: Date;
}

/** The device that is bound to a cookie, and whether it may still have tokens. */
export interface BoundDevice {
  readonly deviceId: string;
  readonly evidence: Evidence;
  readonly revoked: boolean;
  /** Whether its merchant sells nothing to devices of its confidence. */
  readonly confidenceRefused: boolean;
}

/** What is known of a purchase's cookie, read under the lock of its join. */
export interface KnownCookie {
  readonly expiresAt?: Date;
  readonly device?: BoundDevice;
  /** Whether the device registry was asked for a binding that this service had not heard of. */
  readonly registryAsked: boolean;
}

/** What a purchase that arrives is judged by. */
export interface ArrivalFacts {
  readonly existing?: StoredPurchase;
  readonly cookie: KnownCookie;
  readonly kidsKnown: boolean;
  /** Whether tokens of its merchant come from elsewhere, where each has one kid; those of devices that proved a key do not. */
  readonly upstream: boolean;
  readonly now: Date;
  /** How long after the cookie's expiry a binding is still waited for, in milliseconds. */
  readonly graceMs: number;
}

/** What becomes of a purchase that arrives. Only the last three change anything. */
export type Arrival =
  | { readonly kind: 'repeat' }
  | { readonly kind: 'differs' }
  | { readonly kind: 'refunded-before' }
  | { readonly kind: 'refuse'; readonly code: RejectionCode }
  | { readonly kind: 'wait' }
  | { readonly kind: 'issue'; readonly device: BoundDevice };

/** Judges a purchase that arrives, over HTTP or by event. */
export function decideArrival(purchase: Purchase, facts: ArrivalFacts): Arrival {
  const { existing, cookie } = facts;
  if (existing) {
    if (!existing.terms) return { kind: 'refunded-before' };
    return { kind: sameTerms(existing.terms, purchase) ? 'repeat' : 'differs' };
  }
  if (!cookie.device && !cookie.expiresAt) return { kind: 'refuse', code: 'cookie-unknown' };
  if (hasExpired(cookie, facts)) return { kind: 'refuse', code: 'cookie-expired' };
  if (!facts.kidsKnown) return { kind: 'refuse', code: 'kid-unknown' };
  if (facts.upstream && purchase.kids.length > 1 && cookie.device?.evidence !== 'proof') return { kind: 'refuse', code: 'unsupported-upstream' };
  if (!cookie.device) return { kind: 'wait' };
  const code = refuseDevice(purchase, cookie.device);
  return code ? { kind: 'refuse', code } : { kind: 'issue', device: cookie.device };
}

/** What becomes of a purchase that waits, now that something is heard of its cookie. */
export type Waiting = Extract<Arrival, { kind: 'refuse' | 'wait' | 'issue' }>;

/** Judges a waiting purchase again: a device may have come, or the cookie's time may be over. */
export function decideWaiting(purchase: Pick<Purchase, 'deviceId'>, cookie: KnownCookie, now: Date): Waiting {
  if (cookie.device) {
    const code = refuseDevice(purchase, cookie.device);
    return code ? { kind: 'refuse', code } : { kind: 'issue', device: cookie.device };
  }
  const expired = hasExpired(cookie, { now, graceMs: EXPIRY_GRACE_MS });
  return expired ? { kind: 'refuse', code: 'cookie-expired' } : { kind: 'wait' };
}

/** What a refund does: leaves a tombstone for a purchase still to come, ends one, or finds it ended already. */
export function decideRefund(existing: Pick<StoredPurchase, 'state'> | undefined): 'tombstone' | 'refund' | 'nothing' {
  if (!existing) return 'tombstone';
  return existing.state === 'issued' || existing.state === 'awaiting-device' ? 'refund' : 'nothing';
}

/**
 * Whether two statements of one purchase say the same: kids in any order, times by their instant, and `completedAt` left
 * out, because a checkout that repeats itself may stamp it anew.
 */
export function sameTerms(one: Purchase, other: Purchase): boolean {
  const comparable = ({ cookie, deviceId, contentId, kids, rights }: Purchase): string =>
    JSON.stringify([cookie, deviceId ?? null, contentId, [...kids].sort(), comparableRights(rights)]);
  return comparable(one) === comparable(other);
}

/** Rights in a form in which equal ones are equal texts. */
export function comparableRights(rights: Rights): readonly unknown[] {
  const instant = (time: string | undefined): number | null => (time === undefined ? null : Date.parse(time));
  if (rights.type === 'purchase') return ['purchase', instant(rights.availableFrom)];
  return ['rental', instant(rights.availableFrom), instant(rights.availableUntil), rights.playDurationSeconds];
}

/** Whether a rental's time is over. What is to keep never is. */
export function isOver(rights: Rights, now: Date): boolean {
  return rights.type === 'rental' && Date.parse(rights.availableUntil) <= now.getTime();
}

/** Whether a code may turn out to be wrong a little later, so that an event that meets it is tried again first. */
export function mayBecomeKnown(code: RejectionCode): boolean {
  return code === 'cookie-unknown' || code === 'kid-unknown';
}

/** A purchase as the API shows it. */
export function viewOf(purchase: StoredPurchase): PurchaseView {
  const { terms } = purchase;
  return {
    purchaseId: purchase.purchaseId,
    state: purchase.state,
    code: purchase.code,
    tokenId: purchase.tokenId,
    deviceId: purchase.deviceId ?? terms?.deviceId,
    cookie: terms?.cookie,
    contentId: terms?.contentId,
    kids: terms && [...terms.kids],
    rights: terms?.rights,
    completedAt: terms?.completedAt,
    acceptedAt: purchase.acceptedAt.toISOString(),
    refundedAt: purchase.refundedAt?.toISOString(),
  };
}

/** A revoked device is refused before anything else about it is looked at, and for good. */
export function refuseDevice(
  purchase: { readonly deviceId?: string },
  device: BoundDevice,
): 'device-revoked' | 'device-mismatch' | 'device-confidence-refused' | undefined {
  if (device.revoked) return 'device-revoked';
  if (purchase.deviceId !== undefined && purchase.deviceId !== device.deviceId) return 'device-mismatch';
  return device.confidenceRefused ? 'device-confidence-refused' : undefined;
}

/** A cookie is over only when the registry was asked: a device that came in time may be known there and not yet here. */
function hasExpired(cookie: KnownCookie, { now, graceMs }: { readonly now: Date; readonly graceMs: number }): boolean {
  if (cookie.device || !cookie.expiresAt || !cookie.registryAsked) return false;
  return cookie.expiresAt.getTime() + graceMs <= now.getTime();
}
