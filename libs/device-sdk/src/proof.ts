import { toBase64url } from './base64url.js';
import { type DeviceKey, sha256, signJws } from './device-key.js';

/** What a proof says of its request. */
export interface ProofClaims {
  /** The URL as the server is configured with it, byte for byte (`htu`). */
  readonly url: string;
  /** In capitals (`htm`). */
  readonly method: string;
  /** The token that goes with it (`ath`). */
  readonly accessToken: string;
  readonly nonce: string | undefined;
  readonly nowSeconds: number;
}

/** A DPoP proof (RFC 9449 §4.2), good for one request. Its header has no member but those that the server takes. */
export async function makeProof(key: DeviceKey, { url, method, accessToken, nonce, nowSeconds }: ProofClaims): Promise<string> {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk };
  const ath = toBase64url(await sha256(accessToken));
  // JSON leaves out a nonce that is undefined.
  return signJws(key, header, { jti: crypto.randomUUID(), htm: method, htu: url, iat: nowSeconds, ath, nonce });
}
