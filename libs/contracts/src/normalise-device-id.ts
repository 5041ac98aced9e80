const hexIdOfDrm = /^(?:[0-9a-f]{32}|[0-9a-f]{40})$/i;

/**
 * The one spelling of a device id, for whoever compares or stores one that came from outside. PlayReady (32) and FairPlay
 * (40) write bytes in hex digits of either case: with two spellings a device would be refused its own cookie or purchase,
 * and a revoked one would come back under the other. Any other id, a key's thumbprint (RFC 7638) among them, means exactly
 * what it says.
 */
export function normaliseDeviceId(deviceId: string): string {
  return hexIdOfDrm.test(deviceId) ? deviceId.toLowerCase() : deviceId;
}
