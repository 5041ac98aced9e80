import {
  DeviceRevoked,
  hear,
  type Heard,
  LicenseDenied,
  LicenseGranted,
  type ServiceMessaging,
  SigningKeyPublished,
  TokenRevoked,
} from '@latchkey/contracts';

const tokenRevoked = hear(TokenRevoked, ['merchantId', 'tokenId', 'expiresAt']);
const deviceRevoked = hear(DeviceRevoked, ['merchantId', 'deviceId']);
const signingKeyPublished = hear(SigningKeyPublished, ['keyId', 'publicJwk', 'publishedAt']);

/** What the licence server uses of each event that it hears. */
export type HeardTokenRevoked = Heard<typeof tokenRevoked>;
export type HeardDeviceRevoked = Heard<typeof deviceRevoked>;
export type HeardSigningKeyPublished = Heard<typeof signingKeyPublished>;

/** Everything that the licence server hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'license-server',
  hears: [tokenRevoked, deviceRevoked, signingKeyPublished],
  says: [LicenseGranted, LicenseDenied],
  asks: ['device-registry'],
};
