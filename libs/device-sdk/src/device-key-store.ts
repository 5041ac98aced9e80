/** The public half of a device key (RFC 7517), in the only form that the licence server takes. */
export interface PublicDeviceJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** A device key as a store keeps it: its private half as the platform's own object, or as a JWK with `d`. */
export interface StoredDeviceKey {
  readonly publicJwk: PublicDeviceJwk;
  readonly privateKey: CryptoKey | (PublicDeviceJwk & { readonly d: string });
}

/**
 * Where a device keeps its one key. Losing it is to become another device, so a store must fail rather than answer
 * that there is none when it cannot tell.
 */
export interface DeviceKeyStore {
  /** `crypto-key` keeps the platform's objects, so that the private key never has to be extractable. */
  readonly keeps: 'crypto-key' | 'jwk';
  /** The key; undefined where none was ever stored. */
  load(): Promise<StoredDeviceKey | undefined>;
  /** Stores the key unless there is one, and resolves to the one that is stored: two tabs that begin at once are one device. */
  saveIfNone(key: StoredDeviceKey): Promise<StoredDeviceKey>;
}
