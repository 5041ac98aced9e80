import type { CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import type { CookieKnowledge } from './cookie-authorities.js';
import { type ConfidencePolicy, isRefused } from './confidence-policy.js';
import { type CookieJoin, cookieKey, lockJoins } from './cookie-join-store.js';
import { holdDevices } from './known-device-store.js';
import type { KnownCookie } from './purchase.js';
import { keyOf } from './rows.js';

/** Cookies whose joins, and whose devices, stay as they are until the transaction ends. */
export interface HeldCookies {
  /** The database's time after the locks were taken. */
  readonly now: Date;
  readonly joins: ReadonlyMap<string, CookieJoin>;
  /** What purchases of this cookie are judged by. */
  of(cookie: CookieRef): KnownCookie;
}

/**
 * Locks the joins of all the knowledge's cookies, then their devices: in this order everywhere. Without a policy no device's
 * confidence is refused: what was sold stays sold.
 */
export async function holdCookies(tx: Tx, knowledge: CookieKnowledge, policy: ConfidencePolicy = new Map()): Promise<HeldCookies> {
  const { joins, now } = await lockJoins(tx, knowledge.facts);
  const devices = [...joins.values()].flatMap(({ merchantId, device }) => (device ? [{ merchantId, deviceId: device.deviceId }] : []));
  const revoked = await holdDevices(tx, devices);
  const isRevoked = (key: string): boolean => revoked.has(key) || knowledge.revokedDevices.has(key);
  return {
    now,
    joins,
    of: (cookie) => {
      const join = joins.get(cookieKey(cookie));
      const device = join?.device && {
        deviceId: join.device.deviceId,
        evidence: join.device.evidence,
        revoked: isRevoked(keyOf(join.merchantId, join.device.deviceId)),
        confidenceRefused: isRefused(policy, join.merchantId, join.device.confidence),
      };
      return { expiresAt: join?.expiresAt, device, registryAsked: knowledge.registryAsked.has(cookieKey(cookie)) };
    },
  };
}
