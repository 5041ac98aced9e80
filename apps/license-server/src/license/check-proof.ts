import { checkProofClaims, checkProofForm } from '@latchkey/crypto';
import type { Credentials } from './credentials.js';
import { type LicenseRefusal, refuse } from './refusal.js';

/** How far a proof's `iat` may be from now, in either direction, in seconds. */
export const PROOF_WINDOW_SECONDS = 60;

/** A proof that is right in everything but its one-time use: whoever sent it holds the key of `deviceId`. */
export interface CheckedProof {
  readonly ok: true;
  /** RFC 7638 thumbprint of the proof's key. */
  readonly deviceId: string;
  readonly jti: string;
  readonly iatSeconds: number;
}

/** What a proof is checked against, apart from the request itself. */
export interface ProofSurroundings {
  /** What the request was sent with, in capitals. */
  readonly method: string;
  /** The public URL that it was sent to, which the proof names byte for byte. */
  readonly url: string;
  readonly nowSeconds: number;
  /** Whether a nonce is one of ours and not too old. */
  readonly isFreshNonce: (nonce: string) => boolean;
}

/**
 * RFC 9449 §4.3 in its order: form and signature, claims, and last the nonce, so that nobody is sent for a fresh nonce
 * whose proof would be refused with it all the same.
 */
export function checkProof(credentials: Extract<Credentials, { ok: true }>, surroundings: ProofSurroundings): CheckedProof | LicenseRefusal {
  if (credentials.proof === '') return refuse('proof', 'missing');
  const form = checkProofForm(credentials.proof);
  if (!form.ok) return refuse('proof', form.reason);
  const { thumbprint, claims } = form.proof;
  const checked = checkProofClaims(claims, {
    htm: surroundings.method,
    htu: surroundings.url,
    accessToken: credentials.token,
    nowSeconds: surroundings.nowSeconds,
    iatWindowSeconds: PROOF_WINDOW_SECONDS,
  });
  if (!checked.ok) return refuse('proof', checked.reason);
  if (claims.nonce === undefined) return refuse('nonce', 'missing');
  if (!surroundings.isFreshNonce(claims.nonce)) return refuse('nonce', 'not-fresh');
  return { ok: true, deviceId: thumbprint, jti: checked.jti, iatSeconds: checked.iatSeconds };
}
