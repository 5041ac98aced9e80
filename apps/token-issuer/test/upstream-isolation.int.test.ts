import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Issuer } from './issuer.js';
import { ACME, AUTHENTICATOR } from './upstream-merchant.js';
import { UpstreamStub } from './upstream-stub.js';

let database: TestDatabase;
/** One server, at which two merchants have accounts. */
let stub: UpstreamStub;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  stub = await UpstreamStub.start();
  const entry = (merchantId: string, customerAuthenticator: string) => ({ merchantId, kind: 'expressplay', drm: 'pr', url: stub.origin, customerAuthenticator });
  const providers = [entry(ACME, AUTHENTICATOR), entry('other', '201723,ab')];
  issuer = await Issuer.start(database.url, { env: { LATCHKEY_TOKEN_PROVIDERS: JSON.stringify(providers) } });
});
afterAll(async () => {
  await issuer.stop();
  await stub.stop();
  await database.drop();
});

const register = (merchantId: string) => issuer.bus.ask(requests.issueRegistrationToken.name, { merchantId, cookie: issuer.neighbours.cookie({ merchantId }) });

it('an account that does not answer is left alone, and nobody else’s', async () => {
  stub.answering = (asked, response) => (asked.form.get('customerAuthenticator') === AUTHENTICATOR ? void response.destroy() : stub.answer(asked, response));
  await eventually(async () => {
    expect((await register(ACME)).problem).toMatchObject({ code: 'unavailable' });
    expect(await issuer.metrics.expose()).toContain(`latchkey_upstream_circuit{merchant="${ACME}"} 2`);
  });
  expect(await register('other')).toMatchObject({ ok: true });
  expect(await issuer.metrics.expose()).toContain('latchkey_upstream_circuit{merchant="other"} 0');
});
