import type { ConnectionOptions } from 'node:tls';
import { merchantOfCheckoutUser, vocabulary } from '@latchkey/contracts';
import { CheckoutError, type CheckoutProblem } from './checkout-error.js';
import type { CheckoutOptions } from './checkout-options.js';
import { attributeProblems } from './purchase-event.js';

/** Options with everything that was left out. */
export interface ReadOptions {
  readonly url: string;
  readonly merchantId: string;
  readonly source: string;
  readonly user: string;
  readonly timeoutMs: number;
  readonly pendingMax: number;
  readonly tls: ConnectionOptions | undefined;
}

/** The longest time that a timer of Node takes. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Reads the options. Throws `invalid-options`, which lists everything that is wrong and shows no part of the URL. */
export function readOptions({ url, source = '/checkout', timeoutMs = 10_000, pendingMax = 1_000, tls, ...given }: CheckoutOptions): ReadOptions {
  const problems: CheckoutProblem[] = [];
  const location = URL.canParse(url) ? new URL(url) : undefined;
  if (!location || !['amqp:', 'amqps:'].includes(location.protocol) || location.hostname === '') {
    problems.push({ path: 'url', message: 'must be an amqp: or amqps: URL' });
  }
  const user = given.user ?? userOf(location);
  if (user === undefined) problems.push({ path: 'url', message: 'must name a broker user' });
  problems.push(...attributeProblems('source', source));
  const merchantId = given.merchantId ?? merchantOfCheckoutUser(user ?? '');
  if (!vocabulary.merchantId.safeParse(merchantId).success) {
    problems.push({ path: 'merchantId', message: 'must be given where the broker user is not named checkout-<merchantId>' });
  }
  if (!isWhole(timeoutMs, TIMEOUT_MS_MAX)) problems.push({ path: 'timeoutMs', message: 'must be a whole number of milliseconds from 1' });
  if (!isWhole(pendingMax, Number.MAX_SAFE_INTEGER)) problems.push({ path: 'pendingMax', message: 'must be a whole number from 1' });
  if (problems.length > 0) throw new CheckoutError('invalid-options', 'the checkout cannot connect so', problems);
  return { url, merchantId: merchantId!, source, user: user!, timeoutMs, pendingMax, tls };
}

/** The user that a URL names; amqplib logs in as `guest` where it names none. Undefined where it cannot be read. */
function userOf(location: URL | undefined): string | undefined {
  try {
    return location && (decodeURIComponent(location.username) || 'guest');
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;
}
