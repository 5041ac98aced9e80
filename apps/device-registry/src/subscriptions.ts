import { CookieIssued, DeviceRegistered, DeviceRevoked, hear, say, type ServiceMessaging } from '@latchkey/contracts';

/** Uses of `CookieIssued`: that the cookie exists, and how long it is worth knowing. */
export const cookieIssued = hear(CookieIssued, ['merchantId', 'cookie', 'expiresAt']);

/** Everything that the device registry hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'device-registry',
  hears: [cookieIssued],
  says: [say(DeviceRegistered, ['cookie', 'gateway']), say(DeviceRevoked, ['token-issuer', 'gateway'])],
  asks: ['cookie'],
};
