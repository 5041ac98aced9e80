import { BlockList, isIP } from 'node:net';

/** How far webhooks may reach beyond public addresses, as `LATCHKEY_WEBHOOK_ALLOW_PRIVATE` says it. */
export const reaches = ['no', 'loopback', 'yes'] as const;
/** How far webhooks may reach beyond public addresses. */
export type Reach = (typeof reaches)[number];

/** What an address is to us. `never` is what no webhook has any business with. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'never';

function listOf(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, prefix] = range.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Where clouds answer with credentials to whoever asks from a machine of theirs, outside the link-local ranges. */
const metadata = ['100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'];

/**
 * The IANA special-purpose registries (RFC 6890). A `BlockList` takes an IPv4 address that is written as IPv6
 * (`::ffff:10.0.0.1`) for what it is. Every other way to write an IPv4 address within IPv6 (6to4, Teredo, NAT64,
 * IPv4-compatible) is refused: whoever translates it may reach what its IPv4 spelling would not.
 */
const neverRanges = listOf(
  ...metadata,
  '0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20',
);
const loopbackRanges = listOf('127.0.0.0/8', '::1/128');
const privateRanges = listOf('10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7');
const mappedIpv4 = listOf('::ffff:0:0/96');
const globalIpv6 = listOf('2000::/3');

/** What an address is; something that is none is `never`. */
export function kindOfAddress(address: string): AddressKind {
  const family = isIP(address);
  // A zone names an interface of this machine, so it is nothing that a stranger should choose.
  if (family === 0 || address.includes('%')) return 'never';
  const type = family === 6 ? 'ipv6' : 'ipv4';
  if (neverRanges.check(address, type)) return 'never';
  if (loopbackRanges.check(address, type)) return 'loopback';
  if (privateRanges.check(address, type)) return 'private';
  return type === 'ipv4' || mappedIpv4.check(address, type) || globalIpv6.check(address, type) ? 'public' : 'never';
}

/** Whether webhooks of this reach may go to an address. */
export function mayReach(reach: Reach, address: string): boolean {
  const kind = kindOfAddress(address);
  if (kind === 'public') return true;
  if (kind === 'loopback') return reach !== 'no';
  return kind === 'private' && reach === 'yes';
}
