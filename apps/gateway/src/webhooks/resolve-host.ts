import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Finds the addresses of a host name; rejects where there are none. */
export type ResolveHost = (name: string) => Promise<readonly LookupAddress[]>;

/** A name server that has not answered by then, twice, is not waited for. */
const ASK_TIMEOUT_MS = 2_000;
const ASK_TRIES = 2;
/** Of the four threads that the process has for the system's look-ups and its files. */
const SYSTEM_LOOKUPS_MAX = 2;
/** Asking again in another way would only wait for the same server again. */
const serversAreSlow: ReadonlySet<unknown> = new Set(['ETIMEOUT', 'ESERVFAIL']);

/**
 * Asks the name servers first, and the system only where they know nothing of the name: it knows /etc/hosts and search
 * domains. Names whose servers are silent would take the few threads that the system's look-ups have, for as long as it
 * likes to wait, and the gateway could not find its own database: whoever does not get one of two is not found this time.
 */
export function createResolveHost(
  given?: Pick<Resolver, 'resolve4' | 'resolve6'>,
  system: ResolveHost = (name) => lookup(name, { all: true }),
): ResolveHost {
  let systemLookups = 0;
  return async (name) => {
    // A new one knows the name servers that the machine has now.
    const resolver = given ?? new Resolver({ timeout: ASK_TIMEOUT_MS, tries: ASK_TRIES });
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [
      ...(ipv4.status === 'fulfilled' ? ipv4.value.map((address) => ({ address, family: 4 })) : []),
      ...(ipv6.status === 'fulfilled' ? ipv6.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length > 0) return found;
    const slow = [ipv4, ipv6].find((answer) => answer.status === 'rejected' && serversAreSlow.has((answer.reason as NodeJS.ErrnoException).code));
    if (slow?.status === 'rejected') throw slow.reason;
    if (systemLookups >= SYSTEM_LOOKUPS_MAX) throw Object.assign(new Error('too many look-ups are under way'), { code: 'ETIMEOUT' });
    systemLookups += 1;
    return system(name).finally(() => (systemLookups -= 1));
  };
}
