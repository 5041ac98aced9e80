import { CookieIssued, DeviceRegistered, hearCopy, say, type ServiceMessaging } from '@latchkey/contracts';

/** Uses of `DeviceRegistered`: that the cookie is bound, and since when. By which device is the registry's to know. */
export const deviceRegistered = hearCopy(DeviceRegistered, ['merchantId', 'cookie', 'registeredAt']);

/** Everything that the cookie service hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'cookie',
  hears: [deviceRegistered],
  says: [say(CookieIssued)],
  asks: ['device-registry'],
};
