import type { ProblemDetailError } from '@latchkey/contracts';
import { decodeBase64url, parseStrictJson, type TokenKind } from '@latchkey/crypto';

/** Why the body of a licence request is refused. */
export type LicenseRequestRefusal =
  | 'empty'
  | 'not-json'
  | 'not-object'
  | 'kids-form'
  | 'kids-count'
  | 'kid-form'
  | 'kids-repeated'
  | 'type-unknown'
  | 'unknown-member';

/** The kids asked for, as 32 lower-case hex, in the order asked; none only with a registration token's empty body. */
export type ReadLicenseRequest =
  | { readonly ok: true; readonly kids: readonly string[] }
  | { readonly ok: false; readonly reason: LicenseRequestRefusal };

const KIDS_MAX = 32;
const KID_BYTES = 16;
const JSON_DEPTH_MAX = 8;
const MEMBERS = new Set(['kids', 'type']);

/**
 * Reads a licence request (W3C EME §9.1.3), whatever its Content-Type says: players send several. Its form alone is
 * judged, so that a malformed request is told so whether or not its token knows the kids. Members beyond the two are
 * refused like everywhere in the API, but only where nothing else is wrong.
 */
export function readLicenseRequest(body: Uint8Array | undefined, tokenKind: TokenKind): ReadLicenseRequest {
  if (body === undefined || body.length === 0) return tokenKind === 'registration' ? { ok: true, kids: [] } : refused('empty');
  const parsed = parseStrictJson(body, { maxDepth: JSON_DEPTH_MAX });
  if (!parsed.ok) return refused('not-json');
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refused('not-object');
  const { kids: listed, type } = value as { readonly kids?: unknown; readonly type?: unknown };

  if (!Array.isArray(listed)) return refused('kids-form');
  if (listed.length < 1 || listed.length > KIDS_MAX) return refused('kids-count');
  const kids = listed.map(readKid).filter((kid) => kid !== undefined);
  if (kids.length !== listed.length) return refused('kid-form');
  if (new Set(kids).size !== kids.length) return refused('kids-repeated');
  if (Object.hasOwn(value, 'type') && type !== 'temporary') return refused('type-unknown');
  if (Object.keys(value).some((member) => !MEMBERS.has(member))) return refused('unknown-member');
  return { ok: true, kids };
}

const descriptions: Readonly<Record<LicenseRequestRefusal, ProblemDetailError>> = {
  empty: { path: '', message: 'only a registration token allows an empty body' },
  'not-json': { path: '', message: 'must be JSON in UTF-8 without duplicate members' },
  'not-object': { path: '', message: 'must be a JSON object' },
  'kids-form': { path: '/kids', message: 'must be an array' },
  'kids-count': { path: '/kids', message: 'must hold 1 to 32 kids' },
  'kid-form': { path: '/kids', message: 'must hold kids of 16 bytes in unpadded base64url' },
  'kids-repeated': { path: '/kids', message: 'must all be different' },
  'type-unknown': { path: '/type', message: 'must be temporary' },
  'unknown-member': { path: '', message: 'must have no members but kids and type' },
};

/** The broken rule as a problem document tells it. */
export function describeBodyRefusal(reason: LicenseRequestRefusal): ProblemDetailError {
  return descriptions[reason];
}

function readKid(value: unknown): string | undefined {
  const bytes = typeof value === 'string' ? decodeBase64url(value) : undefined;
  return bytes?.length === KID_BYTES ? bytes.toString('hex') : undefined;
}

function refused(reason: LicenseRequestRefusal): ReadLicenseRequest {
  return { ok: false, reason };
}
