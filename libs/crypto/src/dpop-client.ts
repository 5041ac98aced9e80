import type { KeyObject } from 'node:crypto';
import { accessTokenHash } from './dpop-proof-claims.js';
import { generateEcKeyPair } from './ec-key-pair.js';
import type { EcPublicJwk } from './ec-public-jwk.js';
import { signCompactJws } from './jws.js';

/** A device's key pair and the device id that follows from it. */
export interface DeviceKey {
  /** RFC 7638 thumbprint of `publicJwk`. */
  readonly deviceId: string;
  readonly publicJwk: EcPublicJwk;
  readonly privateKey: KeyObject;
}

export interface ProofRequest {
  readonly privateKey: KeyObject;
  readonly publicJwk: EcPublicJwk;
  readonly htm: string;
  readonly htu: string;
  /** The token that the proof goes with; left out, the proof has no `ath`. */
  readonly accessToken?: string;
  /** The last `DPoP-Nonce` of the server. */
  readonly nonce?: string;
  readonly nowSeconds: number;
  /** Never used before with this key. */
  readonly jti: string;
}

/** Makes a device key, as a player does once and keeps. */
export function generateDeviceKey(): DeviceKey {
  const { thumbprint, publicJwk, privateKey } = generateEcKeyPair();
  return { deviceId: thumbprint, publicJwk, privateKey };
}

/** Makes a DPoP proof (RFC 9449 §4.2), as a device does for each request. */
export function createProof(request: ProofRequest): string {
  const { kty, crv, x, y } = request.publicJwk;
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  // JSON leaves out members that are undefined: no token, no `ath`.
  const claims = {
    jti: request.jti,
    htm: request.htm,
    htu: request.htu,
    iat: Math.floor(request.nowSeconds),
    ath: request.accessToken === undefined ? undefined : accessTokenHash(request.accessToken),
    nonce: request.nonce,
  };
  return signCompactJws(request.privateKey, header, claims);
}
