import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authenticatorOf } from '@latchkey/crypto';
import { runAdmin } from '../src/index.js';
import { GatewayUnderTest } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

async function admin(line: string, databaseUrl: string | undefined = gateway.databaseUrl): Promise<{ code: number; out: string; err: string; answer: Record<string, unknown> }> {
  let [out, err] = ['', ''];
  const code = await runAdmin(line.split(' '), { databaseUrl: async () => databaseUrl, out: (text) => (out += text), err: (text) => (err += text) });
  const answer = JSON.parse(code === 0 ? out : err.split('\n')[0]!) as Record<string, unknown>;
  return { code, out, err, answer };
}

const works = async (key: unknown): Promise<unknown> => {
  const response = await gateway.call('GET', '/v1/merchant', { key: key as string });
  return response.ok ? await response.json() : response.status;
};

describe('the admin command', () => {
  it('makes merchants and lists them', async () => {
    const made = await admin('merchants create acme');
    expect(made).toMatchObject({ code: 0, err: '', answer: { merchantId: 'acme', createdAt: expect.stringMatching(/^\d{4}-.*Z$/) } });
    expect((await admin('merchants list')).answer['merchants']).toMatchObject([{ merchantId: 'acme' }, { merchantId: 'default' }]);
    expect(await admin('merchants create acme')).toMatchObject({ code: 1, out: '', answer: { error: 'merchant-exists' } });
  });

  it('makes keys that work at once, and shows each once', async () => {
    const { answer, code } = await admin('keys create acme --scopes cookies,licenses:verify --env test');
    expect([code, answer]).toMatchObject([0, { merchantId: 'acme', env: 'test', scopes: ['cookies', 'licenses:verify'], live: true, expiresAt: null, revokedAt: null }]);
    expect(answer['key']).toMatch(/^lk_test_[A-Za-z0-9]{4,32}_[A-Za-z0-9_-]{43}$/);
    expect(await works(answer['key'])).toEqual({ merchantId: 'acme', scopes: ['cookies', 'licenses:verify'] });
    expect(answer['customerAuthenticator']).toBe(authenticatorOf(String(answer['key'])));
    const listed = await admin('keys list acme');
    expect(listed.answer['keys']).toMatchObject([{ keyId: answer['keyId'], scopes: ['cookies', 'licenses:verify'] }]);
    expect(listed.out).not.toContain((answer['key'] as string).slice(-43));
  });

  it('makes keys with every scope but admin unless told', async () => {
    const { answer } = await admin('keys create acme');
    expect(await works(answer['key'])).toEqual({ merchantId: 'acme', scopes: ['cookies', 'devices', 'purchases', 'tokens', 'keys', 'licenses:verify'] });
    expect(answer['env']).toBe('live');
  });

  it('rotates keys: two are live at once, then the old one is not', async () => {
    const old = (await admin('keys create acme --scopes tokens')).answer;
    const next = (await admin(`keys rotate ${String(old['keyId'])} --overlap-seconds 2`)).answer;
    expect(next).toMatchObject({ merchantId: 'acme', scopes: ['tokens'], env: 'live', expiresAt: null, replaces: { keyId: old['keyId'], live: true } });
    expect(await Promise.all([works(old['key']), works(next['key'])])).toEqual([
      { merchantId: 'acme', scopes: ['tokens'] },
      { merchantId: 'acme', scopes: ['tokens'] },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await Promise.all([works(old['key']), works(next['key'])])).toEqual([401, { merchantId: 'acme', scopes: ['tokens'] }]);
    expect(await admin(`keys rotate ${String(old['keyId'])}`)).toMatchObject({ code: 1, answer: { error: 'key-not-live' } });
  });

  it('never gives an old key more time by rotating it again', async () => {
    const old = (await admin('keys create acme')).answer;
    const first = (await admin(`keys rotate ${String(old['keyId'])} --overlap-seconds 60`)).answer;
    const second = (await admin(`keys rotate ${String(old['keyId'])} --overlap-seconds 3600`)).answer;
    const expiresAt = (answer: Record<string, unknown>): unknown => (answer['replaces'] as Record<string, unknown>)['expiresAt'];
    expect(expiresAt(second)).toBe(expiresAt(first));
  });

  it('revokes keys, at once and for good', async () => {
    const { answer } = await admin('keys create acme');
    expect(await works(answer['key'])).toMatchObject({ merchantId: 'acme' });
    const revoked = await admin(`keys revoke ${String(answer['keyId'])}`);
    expect(revoked.answer).toMatchObject({ keyId: answer['keyId'], live: false, revokedAt: expect.any(String) });
    expect(await works(answer['key'])).toBe(401);
    expect((await admin(`keys revoke ${String(answer['keyId'])}`)).answer['revokedAt']).toBe(revoked.answer['revokedAt']);
  });

  it.each([
    ['keys create nobody', 'merchant-unknown'],
    ['keys list nobody', 'merchant-unknown'],
    ['keys rotate abcd1234', 'key-unknown'],
    ['keys revoke abcd1234', 'key-unknown'],
  ])('says what is not there: %s', async (line, error) => {
    expect(await admin(line)).toMatchObject({ code: 1, out: '', answer: { error } });
  });

  it('shows its usage on nonsense, without a database', async () => {
    const { code, out, err, answer } = await admin('keys destroy everything', undefined);
    expect([code, out, answer['error']]).toEqual([2, '', 'usage']);
    expect(err).toContain('merchants create <merchantId>');
  });

  it('says that it has no database, and tells no password of one that fails', async () => {
    const nowhere = await runAdmin(['merchants', 'list'], { databaseUrl: async () => undefined, out: () => undefined, err: () => undefined });
    expect(nowhere).toBe(1);
    const { code, answer, err } = await admin('merchants list', 'postgres://gateway:swordfish@127.0.0.1:1/none');
    expect([code, answer['error']]).toEqual([1, 'failed']);
    expect(err).not.toContain('swordfish');
  });
});
