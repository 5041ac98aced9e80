import { type ExpressPlayDrm, lifetimeSeconds, type ParameterValues, readTime, type Rights } from '@latchkey/contracts';
import { kidOf } from './kid-of.js';

/** What a token request sells: content, rights, and for how long the token lives. */
export interface Sale {
  readonly kid: string;
  readonly contentId: string;
  readonly rights: Rights;
  readonly ttlSeconds: number;
}

/** What the good parameters of a token request mean. */
export function saleOf(drm: ExpressPlayDrm, values: ParameterValues, nowMs: number): Sale {
  const kid = kidOf(values.get('kid') ?? '');
  const ttlSeconds = lifetimeSeconds(values.get('expirationTime'), nowMs);
  return { kid, contentId: values.get('contentId') ?? `kid:${kid}`, rights: rightsOf(drm, values, nowMs, nowMs + ttlSeconds * 1000), ttlSeconds };
}

function rightsOf(drm: ExpressPlayDrm, values: ParameterValues, nowMs: number, tokenEndsMs: number): Rights {
  switch (drm) {
    case 'pr': {
      if (values.get('rightsType') !== 'Rental') return { type: 'purchase' };
      const endMs = readTime(values.get('rental.periodEndTime') ?? '', nowMs) ?? tokenEndsMs;
      return rental(endMs, Number(values.get('rental.playDuration') ?? Math.max(1, Math.ceil((endMs - nowMs) / 1000))));
    }
    case 'wv':
    case 'fp': {
      const seconds = Number(values.get(drm === 'wv' ? 'licenseDuration' : 'rentalDuration') ?? 0);
      return seconds === 0 ? { type: 'purchase' } : rental(tokenEndsMs, seconds);
    }
  }
}

function rental(endMs: number, playDurationSeconds: number): Rights {
  return { type: 'rental', availableUntil: new Date(endMs).toISOString(), playDurationSeconds };
}
