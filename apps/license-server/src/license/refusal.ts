import { type ErrorCode, Problem } from '@latchkey/contracts';
import type { ProofRefusal, TokenRefusal } from '@latchkey/crypto';
import type { CredentialsRefusal } from './credentials.js';
import { describeBodyRefusal, type LicenseRequestRefusal } from './license-request.js';

/** Every reason to refuse a licence, a list of tokens or a licence server's question, under the step that found it. Stable: metrics and dashboards count by them. */
interface Reasons {
  transport: CredentialsRefusal;
  proof: 'missing' | ProofRefusal;
  nonce: 'missing' | 'not-fresh';
  token: TokenRefusal | 'key-unknown' | 'signature' | 'other-merchant' | 'expired' | 'iat-in-future' | 'iss' | 'aud';
  binding: 'no-confirmation' | 'other-key' | 'proof-needed' | 'other-device';
  body: LicenseRequestRefusal;
  registration: 'cookie-bound-elsewhere' | 'device-revoked' | 'cookie-expired';
  rights: 'kid-not-in-token' | 'device-revoked' | 'token-revoked' | 'rental-not-started' | 'rental-expired';
  replay: 'proof-used';
  unavailable: 'database' | 'device-registry' | 'token-issuer' | 'kek-unknown' | 'revocations-stale';
}

type RefusalAt<Stage extends keyof Reasons> = { readonly ok: false; readonly stage: Stage; readonly reason: Reasons[Stage] };

/** A device refused: where in the order of checks, and why. */
export type LicenseRefusal = { [Stage in keyof Reasons]: RefusalAt<Stage> }[keyof Reasons];

/** Makes a refusal. */
export function refuse<Stage extends keyof Reasons>(stage: Stage, reason: Reasons[Stage]): LicenseRefusal {
  // The compiler does not see that one member of a generic union is a member of the union.
  return { ok: false, stage, reason } as LicenseRefusal;
}

/** When a request that a part was missing for is worth sending again. */
export const RETRY_AFTER_SECONDS = 1;
const CHALLENGE = 'DPoP algs="ES256"';

const transportCodes: Readonly<Record<CredentialsRefusal, ErrorCode>> = {
  'no-credentials': 'unauthenticated',
  'other-scheme': 'unauthenticated',
  'bearer-scheme': 'invalid-token',
  'credentials-repeated': 'invalid-request',
  'credentials-malformed': 'invalid-request',
  'proof-repeated': 'invalid-request',
};

/** The code that a device, or a licence server on its behalf, is told. It learns the step that failed, and of proof and token no more than that. */
export function codeOf(refusal: LicenseRefusal): ErrorCode {
  switch (refusal.stage) {
    case 'transport':
      return transportCodes[refusal.reason];
    case 'proof':
    case 'replay':
      return 'invalid-dpop-proof';
    case 'nonce':
      return 'use-dpop-nonce';
    case 'token':
      return 'invalid-token';
    case 'binding':
      // A stranger with a copied token learns nothing. A merchant's licence server is told what to tell its viewer.
      return refusal.reason === 'other-device' ? 'device-mismatch' : 'invalid-token';
    case 'body':
      return refusal.reason === 'unknown-member' ? 'unknown-member' : 'invalid-request';
    case 'registration':
      // The registration token lives as long as its cookie: to the device it is one that has expired.
      return refusal.reason === 'cookie-expired' ? 'invalid-token' : refusal.reason;
    case 'rights':
      return refusal.reason === 'token-revoked' ? 'invalid-token' : refusal.reason;
    case 'unavailable':
      return 'unavailable';
  }
}

const transportDetails: Partial<Record<CredentialsRefusal, string>> = {
  'credentials-repeated': 'there is more than one credential',
  'credentials-malformed': 'the Authorization header is malformed',
  'proof-repeated': 'there is more than one DPoP proof',
};

/** What a device is answered: problem document, challenge (RFC 9449 §7.1) and, where it may come again soon, when. */
export function problemOf(refusal: LicenseRefusal): Problem {
  const code = codeOf(refusal);
  return new Problem(code, {
    headers: challengeFor(code),
    detail: refusal.stage === 'transport' ? transportDetails[refusal.reason] : undefined,
    errors: refusal.stage === 'body' ? [describeBodyRefusal(refusal.reason)] : undefined,
    retryAfterSeconds: code === 'unavailable' ? RETRY_AFTER_SECONDS : undefined,
  });
}

function challengeFor(code: ErrorCode): Readonly<Record<string, string>> {
  if (code === 'unauthenticated') return { 'www-authenticate': CHALLENGE };
  if (code !== 'invalid-dpop-proof' && code !== 'use-dpop-nonce' && code !== 'invalid-token') return {};
  return { 'www-authenticate': `${CHALLENGE}, error="${code.replaceAll('-', '_')}"` };
}
