import { timingSafeEqual } from 'node:crypto';

/**
 * Whether two byte strings are the same, in a time that depends on their lengths alone. The one way to compare a secret,
 * or what is made from one, with what came from outside: any other stops at the first difference, and whoever measures
 * how soon it stopped can guess a secret byte by byte. Lengths are not secret.
 */
export function constantTimeEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
