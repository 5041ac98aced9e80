import { textToBase64url, toBase64url } from './base64url.js';
import { DeviceError } from './device-error.js';
import type { DeviceKeyStore, PublicDeviceJwk, StoredDeviceKey } from './device-key-store.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A key that can sign, and the device id that follows from it. */
export interface DeviceKey {
  /** RFC 7638 thumbprint of `publicJwk`. */
  readonly id: string;
  readonly publicJwk: PublicDeviceJwk;
  sign(text: string): Promise<Uint8Array>;
}

/** The key in the store, or a new one where there is none. */
export async function loadOrMakeKey(store: DeviceKeyStore): Promise<DeviceKey> {
  const subtle = webCrypto();
  try {
    const stored = (await store.load()) ?? (await store.saveIfNone(await makeKey(store, subtle)));
    return await usableKey(stored, subtle);
  } catch (cause) {
    // A new key in place of one that cannot be read would be another device, and everything bought would be lost to it.
    throw new DeviceError({ code: 'key-unusable', detail: 'the device key could not be read or stored', cause });
  }
}

/** SHA-256 of a text's UTF-8. */
export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await webCrypto().digest('SHA-256', new TextEncoder().encode(text)));
}

function webCrypto(): SubtleCrypto {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  // Browsers have it in secure contexts only.
  if (!subtle) throw new DeviceError({ code: 'no-web-crypto', detail: 'WebCrypto is missing: a page has to be served over https, or from localhost' });
  return subtle;
}

async function makeKey(store: DeviceKeyStore, subtle: SubtleCrypto): Promise<StoredDeviceKey> {
  const keepsObjects = store.keeps === 'crypto-key';
  const { privateKey, publicKey } = await subtle.generateKey(ALGORITHM, !keepsObjects, ['sign', 'verify']);
  const { x, y } = await subtle.exportKey('jwk', publicKey);
  const publicJwk = { kty: 'EC', crv: 'P-256', x: x!, y: y! } as const;
  if (keepsObjects) return { publicJwk, privateKey };
  const { d } = await subtle.exportKey('jwk', privateKey);
  return { publicJwk, privateKey: { ...publicJwk, d: d! } };
}

async function usableKey({ publicJwk: { x, y }, privateKey }: StoredDeviceKey, subtle: SubtleCrypto): Promise<DeviceKey> {
  const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  const key = 'd' in privateKey ? await subtle.importKey('jwk', { ...publicJwk, d: privateKey.d }, ALGORITHM, false, ['sign']) : privateKey;
  // RFC 7638 §3: the required members in the order of their names, without white space.
  const id = toBase64url(await sha256(JSON.stringify({ crv: publicJwk.crv, kty: publicJwk.kty, x, y })));
  const sign = async (text: string): Promise<Uint8Array> => new Uint8Array(await subtle.sign(SIGNING, key, new TextEncoder().encode(text)));
  return { id, publicJwk, sign };
}

/** A compact JWS (RFC 7515) by the device's key. */
export async function signJws(key: DeviceKey, header: object, claims: object): Promise<string> {
  const signingInput = `${textToBase64url(JSON.stringify(header))}.${textToBase64url(JSON.stringify(claims))}`;
  return `${signingInput}.${toBase64url(await key.sign(signingInput))}`;
}
