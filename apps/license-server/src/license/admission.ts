import type { EventData, LicenseGranted } from '@latchkey/contracts';
import type { ContentClaims, LatchkeyToken } from '@latchkey/crypto';
import type { CheckedProof } from './check-proof.js';
import { type LicenseRefusal, refuse } from './refusal.js';

/** The times within which a content token may be used, in seconds since 1970. A rental has a play clock of its own. */
export interface AdmissionRights {
  readonly availableFromSeconds?: number;
  readonly availableUntilSeconds?: number;
  readonly playDurationSeconds?: number;
  /** Whose play clock it is: the one that the token names, else its purchase's, so that no renewal restarts it, or the token's own. */
  readonly playClock?: string;
}

/** The device that an admission is for, and what is used up by it: its proof, or nothing where its merchant vouches for it. */
export interface AdmittedDevice {
  readonly deviceId: string;
  readonly proof: Pick<CheckedProof, 'jti' | 'iatSeconds'> | 'none';
}

/** The device that has made this proof. */
export function byProof(proof: CheckedProof): AdmittedDevice {
  return { deviceId: proof.deviceId, proof };
}

/** The device of this id, on the word of its merchant's licence server: asked again it is judged again, and nothing is used up. */
export function byAssertion(deviceId: string): AdmittedDevice {
  return { deviceId, proof: 'none' };
}

/** A request for a licence that passed every check but those that need what all replicas share. */
export interface Admission extends AdmittedDevice {
  readonly merchantId: string;
  readonly tokenId: string;
  readonly rights: AdmissionRights;
  /** What is told of the licence; a registration is told by `DeviceRegistered`. */
  readonly event?: EventData<typeof LicenseGranted>;
  readonly correlationId?: string;
}

/** What the database found. */
export type Verdict =
  | 'granted'
  | 'proof-used'
  | 'iat-window'
  | 'revocations-stale'
  | 'device-revoked'
  | 'token-revoked'
  | 'rental-not-started'
  | 'rental-expired';

/** The admission of a content token's licence. */
export function contentAdmission(claims: ContentClaims, device: AdmittedDevice, kids: readonly string[], at: Date): Admission {
  const { rights } = claims;
  const rental = rights.type === 'rental' ? { availableUntilSeconds: rights.available_until, playDurationSeconds: rights.play_duration, playClock: playClockOf(claims) } : {};
  return {
    merchantId: claims.merchant,
    tokenId: claims.jti,
    ...device,
    rights: { availableFromSeconds: rights.available_from, ...rental },
    event: { merchantId: claims.merchant, tokenId: claims.jti, cookie: claims.cookie, deviceId: device.deviceId, kids: [...kids], at: at.toISOString() },
  };
}

/** The admission of what opens no content and so has no rights of its own: a registration, or a list of tokens. */
export function admissionWithoutRights(claims: LatchkeyToken['claims'], device: AdmittedDevice): Admission {
  return { merchantId: claims.merchant, tokenId: claims.jti, ...device, rights: {} };
}

/** The refusal that a verdict is, or undefined where the licence is granted. */
export function refusalOf(verdict: Verdict): LicenseRefusal | undefined {
  switch (verdict) {
    case 'granted':
      return undefined;
    case 'proof-used':
      return refuse('replay', verdict);
    case 'iat-window':
      return refuse('proof', verdict);
    case 'revocations-stale':
      return refuse('unavailable', verdict);
    case 'device-revoked':
    case 'token-revoked':
    case 'rental-not-started':
    case 'rental-expired':
      return refuse('rights', verdict);
  }
}

/** A token that goes on with another's clock says so: what stands before the slash is the same as for that token itself. */
function playClockOf(claims: ContentClaims): string {
  if (claims.clock !== undefined) return `token/${claims.clock}`;
  return claims.purchase === undefined ? `token/${claims.jti}` : `purchase/${claims.purchase}`;
}
