import {
  DeviceRegistered,
  DeviceRevoked,
  type EventContract,
  hear,
  LicenseDenied,
  LicenseGranted,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  type ServiceMessaging,
  type Subscription,
  TokenIssued,
  TokenRevoked,
} from '@latchkey/contracts';

/** The gateway passes events on whole, so it uses every field. `CookieIssued` is left out: the merchant made that call. */
const hearWhole = (event: EventContract): Subscription<Readonly<Record<string, unknown>> & { readonly merchantId: string }> =>
  hear(event, Object.keys(event.schema.shape)) as Subscription<Readonly<Record<string, unknown>> & { readonly merchantId: string }>;

/** What merchants are told about. */
export const toldToMerchants = [
  DeviceRegistered,
  DeviceRevoked,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  TokenIssued,
  TokenRevoked,
  LicenseGranted,
  LicenseDenied,
].map((event) => hearWhole(event as EventContract));

/** Everything that the gateway hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'gateway',
  hears: toldToMerchants,
  says: [],
  asks: ['cookie', 'device-registry', 'token-issuer'],
};
