import type { Rights } from './vocabulary.js';

/** Rights as a token claims them: times in whole seconds since 1970, durations in seconds. */
export type ClaimedRights =
  | { readonly type: 'purchase'; readonly available_from?: number }
  | { readonly type: 'rental'; readonly available_from?: number; readonly available_until: number; readonly play_duration: number };

/** The rights that a token claims, as the API writes rights. */
export function rightsOfToken(rights: ClaimedRights): Rights {
  const from = rights.available_from === undefined ? {} : { availableFrom: timeOf(rights.available_from) };
  if (rights.type === 'purchase') return { type: 'purchase', ...from };
  return { type: 'rental', ...from, availableUntil: timeOf(rights.available_until), playDurationSeconds: rights.play_duration };
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
