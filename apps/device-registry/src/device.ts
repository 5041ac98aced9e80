import { type Confidence, confidenceOf, type CookieRef, type Evidence } from '@latchkey/contracts';

/** A device of a merchant: the same id with other evidence is another device. */
export interface DeviceIdentity {
  readonly evidence: Evidence;
  readonly deviceId: string;
}

/** What is known when a device comes with a registration token. Read under the device's lock. */
export interface BindingSituation {
  /** Whether the device's id is revoked for the merchant, whatever the evidence. */
  readonly revoked: boolean;
  /** The device that is bound to the cookie already, if there is one. */
  readonly boundTo: DeviceIdentity | undefined;
  readonly cookieExpiresAt: Date;
}

/** `bind` and `bound-again` are successes; the others are refusals by their code. */
export type BindingDecision = 'bind' | 'bound-again' | 'device-revoked' | 'cookie-bound-elsewhere' | 'cookie-expired';

/** What is to be done about a device that was revoked by its merchant. */
export type RevocationDecision = 'revoke' | 'revoked-already' | 'device-unknown';

/**
 * Decides on a binding, first come first served. Revocation is looked at first, because it is terminal: a revoked device
 * must not even hear that it is bound. Expiry is looked at last, because a device that came in time stays bound.
 */
export function decideBinding(device: DeviceIdentity, situation: BindingSituation, now: Date): BindingDecision {
  if (situation.revoked) return 'device-revoked';
  if (situation.boundTo) return isSameDevice(situation.boundTo, device) ? 'bound-again' : 'cookie-bound-elsewhere';
  return situation.cookieExpiresAt <= now ? 'cookie-expired' : 'bind';
}

/** Decides on a revocation, given the devices of the merchant with the id. */
export function decideRevocation(devices: readonly { readonly revokedAt: Date | null }[]): RevocationDecision {
  if (devices.length === 0) return 'device-unknown';
  return devices.every(({ revokedAt }) => revokedAt !== null) ? 'revoked-already' : 'revoke';
}

/** A binding, with the state of its device. */
export interface Binding extends CookieRef, DeviceIdentity {
  readonly accountId: string;
  /** What its licence server stated of an asserted id, when it was bound. */
  readonly stated: Confidence | null;
  readonly registeredAt: Date;
  readonly revokedAt: Date | null;
}

/** A binding as the API shows it. */
export function recordOf({ cookie, accountId, deviceId, evidence, stated, registeredAt, revokedAt }: Binding) {
  const confidence = confidenceOf(evidence, stated);
  return { cookie, accountId, deviceId, evidence, confidence, state: deviceStateOf(revokedAt), registeredAt: registeredAt.toISOString() };
}

/** The state of a device that was revoked then, or never. */
export function deviceStateOf(revokedAt: Date | null): 'active' | 'revoked' {
  return revokedAt === null ? 'active' : 'revoked';
}

function isSameDevice(one: DeviceIdentity, other: DeviceIdentity): boolean {
  return one.evidence === other.evidence && one.deviceId === other.deviceId;
}
