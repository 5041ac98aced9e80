import { CookieIssued, DeviceRegistered, hear, type ServiceMessaging } from '@latchkey/contracts';

/** Uses of `DeviceRegistered`: that the cookie is bound, and since when. By which device is the registry's to know. */
export const deviceRegistered = hear(DeviceRegistered, ['merchantId', 'cookie', 'registeredAt']);

/** Everything that the cookie service hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'cookie',
  hears: [deviceRegistered],
  says: [CookieIssued],
  asks: ['device-registry'],
};
