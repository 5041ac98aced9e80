import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { createLogger } from '@latchkey/service-defaults';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { Issuer } from './issuer.js';
import { ACME, AUTHENTICATOR, boundCookie, buy, makeDue, newDrmId, orderOf, untilState, upstreamEnv } from './upstream-merchant.js';
import { type Asked, UpstreamStub } from './upstream-stub.js';

let database: TestDatabase;
let stub: UpstreamStub;
let issuer: Issuer;
let log = '';

beforeAll(async () => {
  database = await createTestDatabase();
  stub = await UpstreamStub.start();
  const logger = createLogger('token-issuer', 'trace', { write: (line: string) => void (log += line) });
  issuer = await Issuer.start(database.url, { env: upstreamEnv(stub), logger });
});
afterAll(async () => {
  await issuer.stop();
  await stub.stop();
  await database.drop();
});

/** A provider that quotes all that it was sent. */
const quoting = (status: number) => (asked: Asked, response: ServerResponse) => void response.writeHead(status).end(`-4010 ${asked.form.toString()} ${asked.query.toString()}`);

describe('what is written down of a merchant’s provider', () => {
  it('holds neither the credential nor a content key, a token or a cookie', async () => {
    const problems: string[] = [];
    const failures: string[] = [];
    const cookies: string[] = [];
    const refuse = async (cookie: string): Promise<void> => void problems.push(await issuer.bus.ask(requests.issueRegistrationToken.name, { merchantId: ACME, cookie }).then((answer) => JSON.stringify(answer)));
    const answers = [quoting(400), quoting(500), quoting(200), (_: Asked, response: ServerResponse) => void response.destroy()];
    for (const answering of answers) {
      const { cookie } = await boundCookie(issuer);
      const free = issuer.neighbours.cookie({ merchantId: ACME });
      cookies.push(cookie, free);
      await issuer.ask(requests.issueRegistrationToken, { merchantId: ACME, cookie: free });
      stub.answering = answering;
      const { purchaseId } = await buy(issuer, cookie);
      await issuer.rows('update upstream_registrations set due_at = clock_timestamp() where cookie = $1', [free]);
      await eventually(async () => expect((await orderOf(issuer, purchaseId))?.last_failure).toEqual(expect.any(String)));
      const failureOf = () => issuer.rows<{ last_failure: string }>('select last_failure from upstream_registrations where cookie = $1 and last_failure is not null', [free]);
      failures.push(await eventually(async () => (await failureOf()).map(({ last_failure }) => last_failure)[0]!.toString()));
      await refuse(issuer.neighbours.cookie({ merchantId: ACME }));
      stub.recover();
      stub.devices.set(free, newDrmId());
      // Until the circuit is closed again.
      await eventually(async () => {
        await makeDue(issuer, purchaseId);
        await untilState(issuer, purchaseId, 'issued');
      });
      await issuer.rows('update upstream_registrations set due_at = clock_timestamp() where cookie = $1', [free]);
      await eventually(async () => expect(await issuer.rows('select 1 from upstream_registrations where cookie = $1', [free])).toEqual([]));
    }
    const secrets = [AUTHENTICATOR, AUTHENTICATOR.split(',')[1]!, ...stub.given, ...cookies, ...stub.asked.flatMap(({ form }) => form.get('contentKey') ?? [])];
    expect(secrets.length).toBeGreaterThan(20);
    expect(log).toContain('a provider refused a token of an accepted purchase');
    expect(log).toContain('a device that registered elsewhere was bound');
    expect(problems).toHaveLength(answers.length);
    const metrics = await issuer.metrics.expose();
    expect(secrets.filter((secret) => [log, metrics, ...problems].some((text) => text.includes(secret)))).toEqual([]);
    expect(failures).toEqual(answers.map(() => expect.stringMatching(/^(?:unavailable: [a-z-]+|refused: -?\d+)$/)));
  });
});
