import { CookieIssued, DeviceRegistered, DeviceRevoked, hear, type ServiceMessaging } from '@latchkey/contracts';

/** Uses of `CookieIssued`: that the cookie exists, and how long it is worth knowing. */
export const cookieIssued = hear(CookieIssued, ['merchantId', 'cookie', 'expiresAt']);

/** Everything that the device registry hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'device-registry',
  hears: [cookieIssued],
  says: [DeviceRegistered, DeviceRevoked],
  asks: ['cookie'],
};
