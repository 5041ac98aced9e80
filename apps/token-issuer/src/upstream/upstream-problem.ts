import { Problem } from '@latchkey/contracts';
import type { Refused, Unavailable } from './upstream-answer.js';

/** Codes with which a provider refuses us, and not what was asked: credentials that it does not take. */
const ourFault: readonly (number | undefined)[] = [-2017, -2018];

/** How soon a caller may ask again, in seconds: a provider that does not answer, and one whose account somebody has to put right. */
const AWAY_SECONDS = 2;
const REFUSED_SECONDS = 60;

/**
 * What a caller is told who waits for a token that a provider did not give. That our account there is not in order is not
 * the caller's fault; that the provider has no such token is.
 */
export function problemOfUpstream(outcome: Refused | Unavailable): Problem {
  if (outcome.kind === 'unavailable') return new Problem('unavailable', { detail: 'the provider of the merchant’s tokens does not answer', retryAfterSeconds: AWAY_SECONDS });
  const refusesUs = outcome.status === 401 || outcome.status === 403 || outcome.status === 404 || ourFault.includes(outcome.code);
  if (refusesUs) return new Problem('unavailable', { detail: 'the provider of the merchant’s tokens refuses its account', retryAfterSeconds: REFUSED_SECONDS });
  return new Problem('unsupported-upstream', { detail: outcome.code === undefined ? undefined : `the provider refused with ${outcome.code}` });
}
