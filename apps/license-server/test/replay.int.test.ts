import { eventually, FakeDevice } from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger } from '@latchkey/service-defaults';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Housekeeping } from '../src/housekeeping.js';
import { byAssertion } from '../src/license/admission.js';
import { AdmissionStore } from '../src/license/admission-store.js';
import { type Bench, contentToken, nowSeconds, openBenchWithReplica, type Replica } from './bench.js';

let bench: Bench & { replica: Replica };
let second: Replica;

beforeAll(async () => {
  bench = await openBenchWithReplica();
  second = await bench.start();
});
afterAll(async () => bench?.close());

/** A device that holds a good nonce, so that a proof made by hand is good at once. */
async function readyDevice(): Promise<FakeDevice> {
  const device = new FakeDevice();
  expect((await bench.replica.ask(device, { token: contentToken(bench, device) })).status).toBe(200);
  return device;
}

const count = async (table: string): Promise<number> => (await bench.rows<{ count: string }>(`select count(*) from ${table}`)).map((row) => Number(row.count))[0]!;

describe('a proof', () => {
  it('opens one licence when forty come at once, at two replicas', async () => {
    const device = await readyDevice();
    const token = contentToken(bench, device, { jti: 'tok_forty' });
    for (let round = 0; round < 5; round += 1) {
      const proof = device.proof({ licenseUrl: 'https://play.example/v1/licenses', token });
      const marksBefore = await count('replay_marks');
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => [bench.replica, second][index % 2]!.ask(device, { token, proof })),
      );
      const statuses = answers.map((answer) => answer.status).sort();
      expect(statuses).toEqual([200, ...Array<number>(39).fill(401)]);
      expect(new Set(answers.map((answer) => answer.body.code))).toEqual(new Set([undefined, 'invalid-dpop-proof']));
      expect(await count('replay_marks')).toBe(marksBefore + 1);
    }
    await eventually(async () => expect(await count('outbox_events')).toBe(0));
    const told = bench.heard.filter(({ type, data }) => type === 'license.granted.v1' && data['tokenId'] === 'tok_forty');
    expect(told).toHaveLength(5);
  });

  it('is refused for another token too, by its jti and not by its bytes', async () => {
    const device = await readyDevice();
    const token = contentToken(bench, device);
    const rights = { type: 'rental', available_until: nowSeconds() + 60, play_duration: 10 } as const;
    const rented = contentToken(bench, device, { jti: 'tok_rented', rights });
    expect((await bench.replica.ask(device, { token, jti: 'same' })).status).toBe(200);
    expect((await second.ask(device, { token: rented, jti: 'same' })).body.code).toBe('invalid-dpop-proof');
    expect(await bench.rows(`select from rental_clocks where subject = 'token/tok_rented'`)).toEqual([]);
    const other = await readyDevice();
    expect((await second.ask(other, { token: contentToken(bench, other), jti: 'same' })).status).toBe(200);
  });

  it('is refused by a replica that was started after it was used', async () => {
    const device = await readyDevice();
    const token = contentToken(bench, device);
    const { proof, status } = await bench.replica.ask(device, { token });
    expect(status).toBe(200);
    const third = await bench.start();
    expect((await third.ask(device, { token, proof: proof! })).body.code).toBe('invalid-dpop-proof');
    await third.stop();
  });

  it('leaves a mark only where a licence was given', async () => {
    const device = await readyDevice();
    const before = await count('replay_marks');
    const token = contentToken(bench, device, { rights: { type: 'rental', available_until: nowSeconds() - 1, play_duration: 10 } });
    expect((await bench.replica.ask(device, { token, jti: 'unused' })).body.code).toBe('rental-expired');
    expect((await bench.replica.ask(device, { token: contentToken(bench, device), jti: 'unused', kids: ['0'.repeat(32)] })).body.code).toBe('kid-not-in-token');
    expect(await count('replay_marks')).toBe(before);
    expect((await bench.replica.ask(device, { token: contentToken(bench, device), jti: 'unused' })).status).toBe(200);
  });

  it('opens with any jti that the form allows', async () => {
    const device = await readyDevice();
    for (const jti of ['"\\\'', '{null,"}', '\ud83d\ude00'.repeat(128), 'é', ' ']) {
      expect((await bench.replica.ask(device, { token: contentToken(bench, device), jti })).status).toBe(200);
    }
  });

  it('is judged by the clock of the database too', async () => {
    const store = new AdmissionStore(second.dataSource, new Outbox(second.dataSource, []));
    const admission = (jti: string, iatSeconds: number) => ({ merchantId: 'm1', tokenId: 't', deviceId: 'd', proof: { jti, iatSeconds }, rights: {} });
    const verdicts = await store.admit([admission('a', nowSeconds() - 70), admission('b', nowSeconds() + 70), admission('c', nowSeconds() - 55)], 0);
    expect(verdicts).toEqual(['iat-window', 'iat-window', 'granted']);
  });

  it('used by twins in one statement opens for the first that may', async () => {
    const store = new AdmissionStore(second.dataSource, new Outbox(second.dataSource, []));
    const twin = { merchantId: 'm1', deviceId: 'd', proof: { jti: 'twins', iatSeconds: nowSeconds() } };
    const later = { availableFromSeconds: nowSeconds() + 100 };
    const verdicts = await store.admit(
      [
        { ...twin, tokenId: 't1', rights: later },
        { ...twin, tokenId: 't2', rights: {} },
        { ...twin, tokenId: 't3', rights: {} },
      ],
      0,
    );
    expect(verdicts).toEqual(['rental-not-started', 'granted', 'proof-used']);
  });

  it('is nothing to those that are admitted beside it on their merchant’s word, which use nothing up', async () => {
    const store = new AdmissionStore(second.dataSource, new Outbox(second.dataSource, []));
    const common = { merchantId: 'm1', tokenId: 't1', deviceId: 'both', rights: {} };
    const [proven, vouched] = [{ ...common, proof: { jti: 'once', iatSeconds: nowSeconds() } }, { ...common, ...byAssertion('both') }];
    expect(await store.admit([vouched, proven, vouched, proven, vouched], 0)).toEqual(['granted', 'granted', 'granted', 'proof-used', 'granted']);
    expect(await store.admit([proven, vouched], 0)).toEqual(['proof-used', 'granted']);
    expect(await bench.rows(`select jti from replay_marks where thumbprint = 'both'`)).toEqual([{ jti: 'once' }]);
  });
});

describe('marks', () => {
  it('are forgotten when no proof can meet them any more, and not before', async () => {
    await bench.rows(`insert into replay_marks (thumbprint, jti, seen_at) values
      ('p', 'old', clock_timestamp() - interval '137 seconds'), ('p', 'young', clock_timestamp() - interval '133 seconds')`);
    await new Housekeeping(second.dataSource, createLogger('test', 'silent')).prune();
    expect(await bench.rows(`select jti from replay_marks where thumbprint = 'p'`)).toEqual([{ jti: 'young' }]);
  });

  it('are all forgotten in one round, however many came', async () => {
    await bench.rows(`insert into replay_marks (thumbprint, jti, seen_at)
      select 'many', n::text, clock_timestamp() - interval '1 hour' from generate_series(1, 100001) as n`);
    await new Housekeeping(second.dataSource, createLogger('test', 'silent')).prune();
    // A replica's own round may have some of them in hand; without us it would not get far in this time.
    await eventually(async () => expect(await count(`replay_marks where thumbprint = 'many'`)).toBe(0), { timeoutMs: 2_000 });
  });
});

describe('a row that the database refuses', () => {
  it('fails alone: those who came with it get their licences', async () => {
    await bench.rows(`alter table replay_marks add constraint no_poison check (jti <> 'poison')`);
    const device = await readyDevice();
    const token = contentToken(bench, device);
    const jtis = ['p1', 'p2', 'poison', 'p3', 'p4', 'p5', 'p6', 'p7'];
    const answers = await Promise.all(jtis.map((jti) => bench.replica.ask(device, { token, jti })));
    await bench.rows('alter table replay_marks drop constraint no_poison');
    expect(answers.map((answer) => answer.status)).toEqual(jtis.map((jti) => (jti === 'poison' ? 503 : 200)));
    expect(answers[2]!.headers.get('retry-after')).toBe('1');
    expect((await bench.replica.ask(device, { token, jti: 'poison' })).status).toBe(200);
  });
});

it('licences that wait for the database are written by one statement', async () => {
  const device = await readyDevice();
  const token = contentToken(bench, device);
  // Rows of one statement carry one transaction id.
  const statements = async (): Promise<number> =>
    (await bench.rows<{ n: number }>('select count(distinct xmin::text)::int as n from replay_marks'))[0]!.n;
  const before = await statements();
  const blocker = second.dataSource.createQueryRunner();
  await blocker.startTransaction();
  await blocker.query('lock table replay_marks in exclusive mode');
  const asked = Promise.all(Array.from({ length: 60 }, () => bench.replica.ask(device, { token })));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await blocker.commitTransaction();
  await blocker.release();
  expect((await asked).every((answer) => answer.status === 200)).toBe(true);
  expect((await statements()) - before).toBeLessThan(20);
});
