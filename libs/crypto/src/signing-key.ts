import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { generateEcKeyPair } from './ec-key-pair.js';
import { importEcPublicJwk, type EcPublicJwk } from './ec-public-jwk.js';

/** An ES256 key that signs tokens. */
export interface SigningKey {
  /** RFC 7638 thumbprint of `publicJwk`: replicas that load the same key name it alike. */
  readonly keyId: string;
  readonly publicJwk: EcPublicJwk;
  readonly privateKey: KeyObject;
}

/** Makes a new signing key. */
export function generateSigningKey(): SigningKey {
  const { thumbprint, publicJwk, privateKey } = generateEcKeyPair();
  return { keyId: thumbprint, publicJwk, privateKey };
}

/** The private key as PKCS#8 DER. Plain: it is stored only after `KeyRing.wrapSecret`. */
export function exportSigningKey(signingKey: SigningKey): Buffer {
  return signingKey.privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** Reads PKCS#8 DER; `undefined` if it is not a P-256 private key. */
export function importSigningKey(pkcs8: Buffer): SigningKey | undefined {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } catch {
    // OpenSSL has no other way to say that these bytes are not a key.
    return undefined;
  }
  const imported = importEcPublicJwk(createPublicKey(privateKey).export({ format: 'jwk' }));
  return imported && { keyId: imported.thumbprint, publicJwk: imported.jwk, privateKey };
}
