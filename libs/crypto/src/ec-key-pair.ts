import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { importEcPublicJwk, type EcPublicJwk } from './ec-public-jwk.js';

/** A P-256 private key with its public half and the public half's RFC 7638 thumbprint. */
export interface EcKeyPair {
  readonly thumbprint: string;
  readonly publicJwk: EcPublicJwk;
  readonly privateKey: KeyObject;
}

/** Makes a new P-256 key pair. */
export function generateEcKeyPair(): EcKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const imported = importEcPublicJwk(publicKey.export({ format: 'jwk' }));
  if (!imported) throw new Error('a generated P-256 key does not read as one');
  return { thumbprint: imported.thumbprint, publicJwk: imported.jwk, privateKey };
}
