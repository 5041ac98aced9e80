import type { Rights } from '@latchkey/contracts';
import { isOver } from '../purchase.js';
import type { TokenProvider } from './token-providers.js';

/** What a token is asked for upstream. */
export interface UpstreamTerms {
  readonly cookie: string;
  /** The only device that may redeem the token; undefined for the token that registers one. */
  readonly deviceId?: string;
  readonly kid: string;
  /** The content key in hex digits. A secret. */
  readonly contentKey: string;
  readonly rights: Rights;
}

/** Whether a token there can say all of it: it has one kid, no beginning, and no end that is past. */
export function fitsUpstream({ kids, rights }: { readonly kids: readonly string[]; readonly rights: Rights }, now: Date): boolean {
  return kids.length === 1 && !isOver(rights, now) && (rights.availableFrom === undefined || Date.parse(rights.availableFrom) <= now.getTime());
}

/** When a token that is asked for now for so long will expire: on a whole second, and never after the end of a rental. */
export function upstreamExpiry(rights: Rights, ttlSeconds: number, now: Date): Date {
  const end = now.getTime() + ttlSeconds * 1000;
  const last = rights.type === 'rental' ? Math.min(end, Date.parse(rights.availableUntil)) : end;
  return new Date(Math.max(Math.floor(last / 1000), Math.floor(now.getTime() / 1000) + 1) * 1000);
}

/**
 * The form in which a token is asked for. The expiry is given as seconds from now, not as a time: by a clock that goes
 * otherwise than ours, thirty days would be more than the thirty that are allowed.
 */
export function tokenForm(provider: TokenProvider, terms: UpstreamTerms, { now, expiresAt }: { readonly now: Date; readonly expiresAt: Date }): URLSearchParams {
  const form = new URLSearchParams({
    customerAuthenticator: provider.customerAuthenticator,
    errorFormat: 'json',
    kid: terms.kid,
    contentKey: terms.contentKey,
    cookie: terms.cookie,
    expirationTime: `+${Math.max(1, Math.floor((expiresAt.getTime() - now.getTime()) / 1000))}`,
  });
  if (terms.deviceId !== undefined) form.set('deviceId', terms.deviceId);
  for (const [name, value] of Object.entries(rightsOf(provider, terms.rights, now))) form.set(name, value);
  return form;
}

function rightsOf(provider: TokenProvider, rights: Rights, now: Date): Record<string, string> {
  switch (provider.drm) {
    case 'pr': {
      if (rights.type === 'purchase') return { rightsType: 'BuyToOwn' };
      const periodEndTime = `${new Date(Date.parse(rights.availableUntil)).toISOString().slice(0, 19)}Z`;
      return { rightsType: 'Rental', 'rental.periodEndTime': periodEndTime, 'rental.playDuration': String(rights.playDurationSeconds) };
    }
    case 'wv': {
      const levels = { securityLevel: String(provider.securityLevel), hdcpOutputControl: String(provider.hdcpOutputControl) };
      return rights.type === 'purchase' ? levels : { ...levels, licenseDuration: String(playSeconds(rights, now)) };
    }
    case 'fp':
      return { iv: provider.iv!, ...(rights.type === 'purchase' ? {} : { rentalDuration: String(playSeconds(rights, now)) }) };
  }
}

/** These DRMs have one clock where a rental has two: the one that runs out first. Zero would mean for ever. */
function playSeconds(rights: Extract<Rights, { type: 'rental' }>, now: Date): number {
  return Math.max(1, Math.min(rights.playDurationSeconds, Math.floor((Date.parse(rights.availableUntil) - now.getTime()) / 1000)));
}
