const hexIdOfDrm = /^(?:[0-9a-f]{32}|[0-9a-f]{40})$/i;

/**
 * The one spelling of a device id, for whoever compares or stores one that came from outside. PlayReady (32) and FairPlay
 * (40) write bytes in hex digits of either case: with two spellings a device would be refused its own cookie or purchase,
 * and a revoked one would come back under the other. Any other id, a key's thumbprint (RFC 7638) among them, means exactly
 * what it says. It goes by the form of the id alone: whoever revokes a device or names it in a purchase names no DRM.
 */
export function normaliseDeviceId(deviceId: string): string {
  return hexIdOfDrm.test(deviceId) ? deviceId.toLowerCase() : deviceId;
}

/** The DRMs whose licence servers ask. `other` is whatever else computes an id of a device. */
export const drms = ['widevine', 'playready', 'fairplay', 'other'] as const;
/** A DRM whose licence server asks. */
export type Drm = (typeof drms)[number];

const hexDigitsOf: Readonly<Partial<Record<Drm, number>>> = { playready: 32, fairplay: 40 };

/** What is wrong with a device id of this DRM, for people; undefined where nothing is. Others have no form of their own. */
export function deviceIdFault(drm: Drm, deviceId: string): string | undefined {
  const digits = hexDigitsOf[drm];
  if (digits === undefined || (deviceId.length === digits && hexIdOfDrm.test(deviceId))) return undefined;
  return `must be ${digits} hex digits, as ${drm} has them`;
}
