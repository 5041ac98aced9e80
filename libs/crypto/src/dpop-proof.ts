import { importEcPublicJwk, type EcPublicJwk } from './ec-public-jwk.js';
import { verifyEs256 } from './es256.js';
import { parseCompactJws } from './jws.js';
import type { ProofClaimRefusal } from './dpop-proof-claims.js';
import { hasExactMembers, type JsonObject } from './strict-json.js';

/** The largest proof taken, in bytes of its compact form. */
export const PROOF_BYTES_MAX = 4_096;

/** Why a proof's form or signature is refused. For logs and metrics: a client is told only `invalid_dpop_proof`. */
export type ProofFormRefusal =
  | 'proof-too-large'
  | 'proof-not-jws'
  | 'header-members'
  | 'typ'
  | 'alg'
  | 'jwk-form'
  | 'signature';

/** Every reason to refuse a proof. Stable: dashboards count by them. */
export type ProofRefusal = ProofFormRefusal | ProofClaimRefusal;

/** Claims of a proof with a good signature, not looked at yet, and its nonce. */
export interface ProofClaims extends JsonObject {
  /** Undefined if there is none, or if it is not a string: both mean that the client has to fetch one. */
  readonly nonce: string | undefined;
}

/** A proof in good form: whoever made it holds the private half of `jwk`. */
export interface DpopProof {
  readonly jwk: EcPublicJwk;
  /** RFC 7638 thumbprint of `jwk`: the device id, and what a token's `cnf.jkt` is compared with. */
  readonly thumbprint: string;
  readonly claims: ProofClaims;
}

export type ProofForm =
  | { readonly ok: true; readonly proof: DpopProof }
  | { readonly ok: false; readonly reason: ProofFormRefusal };

const HEADER_MEMBERS = ['typ', 'alg', 'jwk'] as const;

/**
 * First half of RFC 9449 §4.3, and stricter: at most 4 KiB; a compact JWS in canonical base64url and strict JSON; a
 * protected header of exactly `typ`, `alg` and `jwk`, with `typ` exactly `dpop+jwt` and `alg` exactly `ES256`; a
 * canonical P-256 public key; its signature. The claims are for `checkProofClaims`, the nonce is for the caller.
 *
 * Members that we do not know are refused because `crit`, `b64` or `x5c` would change what is verified.
 */
export function checkProofForm(proofText: string): ProofForm {
  const parsed = parseCompactJws(proofText, { maxBytes: PROOF_BYTES_MAX });
  if (!parsed.ok) return { ok: false, reason: FORM_REFUSALS[parsed.reason] };
  const { header, payload, signature, signingInput } = parsed.jws;

  if (!hasExactMembers(header, HEADER_MEMBERS)) return { ok: false, reason: 'header-members' };
  if (header['typ'] !== 'dpop+jwt') return { ok: false, reason: 'typ' };
  if (header['alg'] !== 'ES256') return { ok: false, reason: 'alg' };
  const key = importEcPublicJwk(header['jwk']);
  if (!key) return { ok: false, reason: 'jwk-form' };
  if (!verifyEs256(key.publicKey, signingInput, signature)) return { ok: false, reason: 'signature' };

  const nonce = typeof payload['nonce'] === 'string' ? payload['nonce'] : undefined;
  return { ok: true, proof: { jwk: key.jwk, thumbprint: key.thumbprint, claims: { ...payload, nonce } } };
}

const FORM_REFUSALS = {
  'too-large': 'proof-too-large',
  parts: 'proof-not-jws',
  base64url: 'proof-not-jws',
  json: 'proof-not-jws',
  'signature-length': 'signature',
} as const;
