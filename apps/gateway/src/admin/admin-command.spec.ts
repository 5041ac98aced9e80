import { describe, expect, it } from '@jest/globals';
import { readAdminCommand } from './admin-command.js';

const read = (line: string): unknown => readAdminCommand(line === '' ? [] : line.split(' '));

describe('the arguments of the admin command', () => {
  it.each([
    ['merchants create acme', { kind: 'create-merchant', merchantId: 'acme' }],
    ['merchants list', { kind: 'list-merchants' }],
    ['keys create acme', { kind: 'create-key', merchantId: 'acme', env: 'live', scopes: ['cookies', 'devices', 'purchases', 'tokens', 'keys', 'licenses:verify'] }],
    ['keys create acme --scopes admin,cookies --env test', { kind: 'create-key', merchantId: 'acme', env: 'test', scopes: ['cookies', 'admin'] }],
    ['keys create --scopes=tokens acme', { kind: 'create-key', merchantId: 'acme', env: 'live', scopes: ['tokens'] }],
    ['keys rotate abcd1234', { kind: 'rotate-key', keyId: 'abcd1234', overlapSeconds: 86_400 }],
    ['keys rotate abcd1234 --overlap-seconds 0', { kind: 'rotate-key', keyId: 'abcd1234', overlapSeconds: 0 }],
    ['keys revoke abcd1234', { kind: 'revoke-key', keyId: 'abcd1234' }],
    ['keys list acme', { kind: 'list-keys', merchantId: 'acme' }],
  ])('are understood: %s', (line, command) => {
    expect(read(line)).toEqual(command);
  });

  it.each([
    ['', 'no such command'],
    ['merchants', 'no such command'],
    ['merchants destroy acme', 'no such command'],
    ['constructor', 'no such command'],
    ['merchants create', 'one merchant id'],
    ['merchants create acme other', 'one merchant id'],
    ['merchants create ACME', 'a merchant id is'],
    ['merchants list acme', 'nothing more'],
    ['merchants list --env live', '--env does not belong'],
    ['keys create acme --scopes', '--scopes needs a value'],
    ['keys create acme --scopes cookies,everything', 'no scope "everything"'],
    ['keys create acme --scopes=', 'no scope ""'],
    ['keys create acme --env Live', 'an env is'],
    ['keys create acme --env test --env live', 'given twice'],
    ['keys rotate abcd1234 --overlap-seconds -1', 'an overlap is'],
    ['keys rotate abcd1234 --overlap-seconds 1e3', 'an overlap is'],
    ['keys rotate abcd1234 --overlap-seconds 31536001', 'an overlap is'],
    [`keys revoke lk_live_abcd1234_${'a'.repeat(43)}`, 'never the key itself'],
  ])('are refused: %s', (line, message) => {
    expect(read(line)).toEqual({ kind: 'usage-error', message: expect.stringContaining(message) });
  });
});
