import { isIPv6 } from 'node:net';

const GROUPS = 8;
const GROUPS_OF_A_SITE = 4;

/**
 * What one client has at its disposal: an IPv4 address, or the /64 of an IPv6 address, for whoever has one of those has
 * 2^64 addresses to guess from. Anything else stands for itself.
 */
export function addressBlock(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = /^::ffff:([0-9.]+)$/i.exec(bare);
  if (mapped) return mapped[1]!;
  if (!isIPv6(bare)) return address;
  const [head = '', tail] = bare.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const missing = tail === undefined ? 0 : GROUPS - before.length - after.length;
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  return `${groups.slice(0, GROUPS_OF_A_SITE).join(':')}::/64`;
}

/** The groups of a part without `::`, none with leading zeros; an IPv4 address at the end stands for two. */
function groupsOf(part: string): string[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => (group.includes('.') ? ['ipv4', 'ipv4'] : [parseInt(group, 16).toString(16)]));
}
