import { isIP } from 'node:net';
import { mayReach, type Reach } from './address-rules.js';

/** The host of a URL as sockets take it: without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/**
 * Why a webhook may not have this URL, or undefined. Said when the webhook is made, so that a mistake is seen at once; what
 * a name stands for is found out and judged at each attempt. `new URL` has already written every spelling of an IPv4
 * address (decimal, octal, hexadecimal, shortened, with a dot behind it) as the four numbers that it means.
 */
export function urlRefusal(url: URL, reach: Reach): string | undefined {
  if (reach === 'no' && url.protocol !== 'https:') return 'must be an https URL';
  const host = hostOf(url);
  if (isIP(host) === 0) return undefined;
  if (!mayReach(reach, host)) return 'must not be an address that is not public';
  return addressRefusal(url, [host], reach) === undefined ? undefined : 'must be an https URL';
}

/**
 * Why an attempt at this URL may not go to these addresses, or undefined. All of them have to be allowed: of a name that
 * stands for a public and a private one nobody knows which would be taken. Plain http stays within the machine or the
 * private network; on the way to a public address anybody could read it.
 */
export function addressRefusal(url: URL, addresses: readonly string[], reach: Reach): 'address-refused' | 'insecure-refused' | undefined {
  if (addresses.length === 0 || !addresses.every((address) => mayReach(reach, address))) return 'address-refused';
  if (url.protocol !== 'https:' && addresses.some((address) => mayReach('no', address))) return 'insecure-refused';
  return undefined;
}
