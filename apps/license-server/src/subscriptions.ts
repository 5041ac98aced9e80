import {
  DeviceRevoked,
  hear,
  type Heard,
  LicenseDenied,
  LicenseGranted,
  say,
  type ServiceMessaging,
  SigningKeyPublished,
  SigningKeyRetired,
  TokenRevoked,
} from '@latchkey/contracts';

const tokenRevoked = hear(TokenRevoked, ['merchantId', 'tokenId', 'expiresAt']);
const deviceRevoked = hear(DeviceRevoked, ['merchantId', 'deviceId']);
const signingKeyPublished = hear(SigningKeyPublished, ['keyId', 'publicJwk', 'publishedAt']);
const signingKeyRetired = hear(SigningKeyRetired, ['keyId', 'trustedUntil']);

/** What the licence server uses of each event that it hears. */
export type HeardTokenRevoked = Heard<typeof tokenRevoked>;
export type HeardDeviceRevoked = Heard<typeof deviceRevoked>;
export type HeardSigningKeyPublished = Heard<typeof signingKeyPublished>;
export type HeardSigningKeyRetired = Heard<typeof signingKeyRetired>;

/** Everything that the licence server hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'license-server',
  hears: [tokenRevoked, deviceRevoked, signingKeyPublished, signingKeyRetired],
  says: [say(LicenseGranted), say(LicenseDenied)],
  asks: ['device-registry', 'token-issuer'],
};
