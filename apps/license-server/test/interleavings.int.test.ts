import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTestDatabase,
  Explorer,
  interleavingBounds,
  type Rewrite,
  type Scenario,
  type TestDatabase,
} from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, openDatabase } from '@latchkey/service-defaults';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Housekeeping } from '../src/housekeeping.js';
import { licenseServerService } from '../src/index.js';
import { type Admission, byProof } from '../src/license/admission.js';
import { AdmissionStore } from '../src/license/admission-store.js';
import { RevocationsController } from '../src/revocations/revocations.controller.js';

const MERCHANT = 'default';
let database: TestDatabase;
let dataSource: DataSource;
let explorer: Explorer;
let store: AdmissionStore;
let revocations: RevocationsController;
let housekeeping: Housekeeping;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations, messaging } = licenseServerService;
  const logger = createLogger('license-server', 'silent');
  dataSource = await openDatabase(
    { url: database.url, service: 'license-server', migrations, poolSizeMax: 10, logger },
    10_000,
  );
  const outbox = new Outbox(dataSource, messaging.says);
  store = new AdmissionStore(withOpenCommits(dataSource), outbox);
  revocations = new RevocationsController(outbox);
  housekeeping = new Housekeeping(dataSource, logger);
  explorer = await Explorer.open(database.url, [dataSource]);
});

afterAll(async () => {
  await explorer.close();
  await dataSource.destroy();
  await database.drop();
});

/**
 * An admission is one statement, which commits at once. With its commit apart, two of them can meet between the two.
 */
function withOpenCommits(source: DataSource): DataSource {
  const pool = (source.driver as unknown as { master: Pool }).master;
  const query = async (statement: { text: string; values: unknown[] }): Promise<unknown> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const result = await client.query(statement.text, statement.values);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };
  return { driver: { master: { query } } } as unknown as DataSource;
}

const proofOf = (deviceId: string) =>
  byProof({ deviceId, jti: crypto.randomUUID(), iatSeconds: Date.now() / 1000 } as Parameters<typeof byProof>[0]);
const admissionOf = (more: Partial<Admission> = {}): Admission => {
  const deviceId = crypto.randomUUID();
  return { merchantId: MERCHANT, tokenId: crypto.randomUUID(), rights: {}, ...proofOf(deviceId), ...more };
};
const admit =
  (...admissions: Admission[]) =>
  () =>
    store.admit(admissions, 0);
type Results = ReadonlyMap<string, PromiseSettledResult<unknown>>;
const verdictsOf = (results: Results): string[] =>
  [...results.values()].flatMap((result) =>
    result.status === 'fulfilled' && Array.isArray(result.value) ? (result.value as string[]) : [],
  );
const failuresOf = (results: Results): string[] =>
  [...results].flatMap(([name, result]) =>
    result.status === 'rejected' ? [`${name} failed: ${String(result.reason)}`] : [],
  );
const countGranted = (results: Results): number =>
  verdictsOf(results).filter((verdict) => verdict === 'granted').length;

const sameProofs: Scenario = {
  name: 'two batches with the same two proofs, in opposite order',
  prepare: async () => {
    const [one, two] = [admissionOf(), admissionOf()];
    return {
      work: { forward: admit(one, two), backward: admit(two, one) },
      judge: async (results) => [
        ...failuresOf(results),
        ...(countGranted(results) === 2 ? [] : [`two proofs opened ${countGranted(results)} licences`]),
      ],
    };
  },
};

/** Both renewals of one purchase play by one clock, which retention must not take away while it is needed. */
const rentalClock: Scenario = {
  name: 'two first licences of one rental × retention',
  prepare: async () => {
    const playClock = `purchase/${crypto.randomUUID()}`;
    const inAnHour = Date.now() / 1000 + 3600;
    const rights = { availableUntilSeconds: inAnHour, playDurationSeconds: 600, playClock };
    const find = () =>
      dataSource.query<{ started: string }[]>(
        'select started_at::text as started from rental_clocks where subject = $1',
        [playClock],
      );
    let first: string | undefined;
    const note = (work: () => Promise<unknown>) => async () => {
      const value = await work();
      first ??= (await find())[0]?.started;
      return value;
    };
    return {
      work: {
        one: note(admit(admissionOf({ rights }))),
        two: note(admit(admissionOf({ rights }))),
        retention: () => housekeeping.prune(),
      },
      judge: async (results) => {
        const clocks = await find();
        const kept =
          clocks.length === 1 && clocks[0]!.started === first
            ? []
            : ['the play clock of a rental was lost or started again'];
        return [
          ...failuresOf(results),
          ...kept,
          ...(countGranted(results) === 2 ? [] : ['a first licence was refused']),
        ];
      },
    };
  },
};

const revocation: Scenario = {
  name: 'the revocation of a device × its admission',
  prepare: async () => {
    const deviceId = crypto.randomUUID();
    let revokedBeforeAdmission = false;
    let revoked = false;
    const event = {
      specversion: '1.0' as const,
      id: crypto.randomUUID(),
      source: '/s',
      type: 't',
      data: { merchantId: MERCHANT, deviceId, accountId: 'a', revokedAt: new Date().toISOString() },
    };
    const delivery = { event, attempt: 1 } as unknown as Parameters<RevocationsController['revokeDevices']>[0][number];
    const revoke = async () => {
      await revocations.revokeDevices([delivery]);
      revoked = true;
    };
    const late = async () => {
      // A statement of its own first, so that a schedule can put the whole revocation before the admission.
      await dataSource.query('select 1');
      revokedBeforeAdmission = revoked;
      return store.admit([admissionOf({ ...proofOf(deviceId) })], 0);
    };
    return {
      work: { revocation: revoke, again: () => revocations.revokeDevices([delivery]), admission: late },
      judge: async (results) => {
        const after = await store.admit([admissionOf({ ...proofOf(deviceId) })], 0);
        const refused = after[0] === 'device-revoked' ? [] : ['a revoked device is admitted'];
        const early =
          revokedBeforeAdmission && countGranted(results) > 0
            ? ['a licence was granted after the revocation was done']
            : [];
        return [...failuresOf(results), ...refused, ...early];
      },
    };
  },
};

describe('the license server', () => {
  it.each([sameProofs, rentalClock, revocation])(
    '$name',
    async (scenario) => {
      const { broken } = await explorer.explore(scenario, interleavingBounds({ schedulesMax: 80 }));
      expect(broken?.report).toBeUndefined();
    },
    120_000,
  );

  it('is found to take a proof twice if its mark does not decide', async () => {
    const withoutMark: Rewrite = (sql) =>
      sql.replace(
        'select device_id, jti, now from fresh order by device_id, jti\n    on conflict do nothing',
        'select device_id, jti, now from fresh order by device_id, jti\n    ' +
          'on conflict (thumbprint, jti) do update set seen_at = excluded.seen_at',
      );
    const { broken } = await explorer.explore(sameProofs, interleavingBounds(), withoutMark);
    expect(broken?.breaches).toContain('two proofs opened 4 licences');
  });
});
