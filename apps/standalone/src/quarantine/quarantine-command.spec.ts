import { describe, expect, it } from '@jest/globals';
import type { Broker } from '@latchkey/messaging';
import { carryOut, consumers, readCommand } from './quarantine-command.js';

describe('npm run quarantine', () => {
  it.each([
    [['list'], { kind: 'list', services: consumers }],
    [['list', 'cookie'], { kind: 'list', services: ['cookie'] }],
    [['redrive', 'token-issuer'], { kind: 'redrive', service: 'token-issuer', ids: [] }],
    [['redrive', 'token-issuer', 'a', 'b'], { kind: 'redrive', service: 'token-issuer', ids: ['a', 'b'] }],
  ])('understands %j', (args, command) => {
    expect(readCommand(args)).toEqual(command);
  });

  it.each([[[]], [['redrive']], [['list', 'checkout']], [['list', 'cookie', 'id']], [['purge', 'cookie']], [['LIST']]])('makes nothing of %j', (args) => {
    expect(readCommand(args)).toBeUndefined();
  });

  it('lists the quarantine of every service it is asked for, and redrives all or what is named', async () => {
    const redriven: unknown[] = [];
    const broker = {
      quarantined: async (service: string) => [{ id: `${service}-1`, type: 't', reason: 'r', attempt: 1, quarantinedAt: undefined }],
      redrive: async (...args: unknown[]) => (redriven.push(args), 2),
    } as unknown as Broker;
    const listed = (await carryOut({ kind: 'list', services: ['cookie', 'gateway'] }, broker)) as { quarantined: { service: string; id: string }[] };
    expect(listed.quarantined.map(({ service, id }) => [service, id])).toEqual([['cookie', 'cookie-1'], ['gateway', 'gateway-1']]);
    expect(await carryOut({ kind: 'redrive', service: 'cookie', ids: ['x'] }, broker)).toEqual({ service: 'cookie', redriven: 2 });
    await carryOut({ kind: 'redrive', service: 'cookie', ids: [] }, broker);
    expect(redriven).toEqual([['cookie', ['x']], ['cookie', undefined]]);
  });
});
