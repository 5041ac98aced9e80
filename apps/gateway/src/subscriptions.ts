import {
  DeviceRegistered,
  DeviceRevoked,
  type EventContract,
  hear,
  hearCopy,
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

type ToldToMerchants = Subscription<Readonly<Record<string, unknown>> & { readonly merchantId: string }>;

/** The gateway passes events on whole, so it uses every field. */
const whole = (event: EventContract, heard: typeof hear | typeof hearCopy): ToldToMerchants => heard(event, Object.keys(event.schema.shape)) as ToldToMerchants;

/**
 * What merchants are told about. `CookieIssued` is left out: the merchant made that call. Purchases and refunds are those
 * that the issuer has accepted, whether they came by event or over HTTP.
 */
export const toldToMerchants = [
  ...[PurchaseRejected, TokenIssued, LicenseGranted, LicenseDenied].map((event) => whole(event as EventContract, hear)),
  ...[DeviceRegistered, DeviceRevoked, PurchaseCompleted, PurchaseRefunded, TokenRevoked].map((event) => whole(event as EventContract, hearCopy)),
];

/** Everything that the gateway hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'gateway',
  hears: toldToMerchants,
  says: [],
  asks: ['cookie', 'device-registry', 'token-issuer', 'license-server'],
};
