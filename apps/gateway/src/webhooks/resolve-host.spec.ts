import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createResolveHost } from './resolve-host.js';

const failing = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(code), { code });
};
const nobody = failing('ENOTFOUND');

describe('the addresses of a name', () => {
  it('are those that the name servers tell, of both families', async () => {
    const resolve = createResolveHost({ resolve4: async () => ['192.0.2.1'], resolve6: async () => ['2001:db8::1'] } as never, nobody);
    expect(await resolve('shop.example')).toEqual([{ address: '192.0.2.1', family: 4 }, { address: '2001:db8::1', family: 6 }]);
    const onlyIpv6 = createResolveHost({ resolve4: failing('ENODATA'), resolve6: async () => ['2001:db8::1'] } as never, nobody);
    expect(await onlyIpv6('shop.example')).toEqual([{ address: '2001:db8::1', family: 6 }]);
  });

  it.each(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED'])('are those that the system knows where the name servers know none: %s', async (code) => {
    const resolve = createResolveHost({ resolve4: failing(code), resolve6: failing(code) }, async () => [{ address: '127.0.0.1', family: 4 }]);
    expect(await resolve('receiver.internal')).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });

  it('are not waited for a second time where the name servers are silent', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const resolver = new Resolver({ timeout: 50, tries: 1 });
    resolver.setServers([`127.0.0.1:${silent.address().port}`]);
    let asked = 0;
    const resolve = createResolveHost(resolver, async () => ((asked += 1), []));
    await expect(resolve('shop.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    silent.close();
    expect(asked).toBe(0);
  });

  it('are asked of the system for two names at a time, and no more', async () => {
    const answers: (() => void)[] = [];
    const resolve = createResolveHost({ resolve4: nobody, resolve6: nobody }, () => new Promise((found) => answers.push(() => found([]))));
    const [one, two] = [resolve('a.example'), resolve('b.example')];
    await expect(resolve('c.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    for (const answer of answers) answer();
    await Promise.all([one, two]);
    const later = resolve('c.example');
    await new Promise((resolve) => setImmediate(resolve));
    answers[2]!();
    expect(await later).toEqual([]);
  });

  it('are found for the machine itself, with whatever name servers there are', async () => {
    const loopback = (await createResolveHost()('localhost')).map(({ address }) => address);
    expect(loopback.length).toBeGreaterThan(0);
    for (const address of loopback) expect(['127.0.0.1', '::1']).toContain(address);
  });
});
