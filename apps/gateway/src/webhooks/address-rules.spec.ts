import { describe, expect, it } from '@jest/globals';
import { type AddressKind, kindOfAddress, mayReach, reaches } from './address-rules.js';

/** Edges of each range, with their neighbours outside it. */
const kinds: Readonly<Record<AddressKind, readonly string[]>> = {
  public: [
    '1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255',
    '172.32.0.0', '191.255.255.255', '192.0.1.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.15',
    '2606:4700:4700::1111', '2001:200::', '2001:db7:ffff::', '2003::1', '3ffe::1', '::ffff:1.1.1.1',
  ],
  loopback: ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
  private: [
    '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255',
    'fc00::', 'fdff:ffff::1', '::ffff:10.0.0.1', '::ffff:c0a8:1',
  ],
  never: [
    '0.0.0.0', '0.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255', '192.0.0.0', '192.0.0.255', '198.18.0.0', '198.19.255.255', '224.0.0.1', '239.255.255.255',
    '240.0.0.0', '255.255.255.255', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254', '::', '::ffff:0.0.0.0', '::ffff:169.254.169.254', '::127.0.0.1', '::7f00:1', '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '100::1', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', 'fe80::1%eth0', '::1%lo', '4000::1',
    '', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.0.0.1.', '[::1]', '10.0.0.0/8',
  ],
};

describe('addresses', () => {
  it.each(Object.entries(kinds).flatMap(([kind, addresses]) => addresses.map((address) => [address, kind] as const)))('%s is %s', (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind);
  });

  it('may be gone to as far as the setting reaches, and never where nobody has any business', () => {
    const allowed = Object.fromEntries(reaches.map((reach) => [reach, Object.entries(kinds).filter(([, addresses]) => addresses.every((address) => mayReach(reach, address))).map(([kind]) => kind)]));
    expect(allowed).toEqual({ no: ['public'], loopback: ['public', 'loopback'], yes: ['public', 'loopback', 'private'] });
    const refused = kinds.never.filter((address) => reaches.some((reach) => mayReach(reach, address)));
    expect(refused).toEqual([]);
    for (const address of kinds.private) expect([address, mayReach('loopback', address)]).toEqual([address, false]);
    for (const address of kinds.loopback) expect([address, mayReach('no', address)]).toEqual([address, false]);
  });
});
