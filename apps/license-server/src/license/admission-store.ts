import { LicenseGranted } from '@latchkey/contracts';
import { isTransient, Outbox } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { Admission, Verdict } from './admission.js';
import { PROOF_WINDOW_SECONDS } from './check-proof.js';

/** How far our clock and the database's may differ before a proof at the edge of its window is refused, in seconds. */
const CLOCK_DIFFERENCE_SECONDS_MAX = 5;
/** The window of a proof by the database's clock. Outside of it no proof is admitted, so no mark is needed either. */
const MARK_WINDOW_SECONDS = PROOF_WINDOW_SECONDS + CLOCK_DIFFERENCE_SECONDS_MAX;
/** How long a licence waits for its admission at most, in seconds. After that nobody gets what is still granted. */
export const ADMISSION_TIMEOUT_SECONDS = 5;
/**
 * How long a mark is needed, in seconds. A proof may be admitted first a window before its `iat` and again a window
 * after it; the database's time is compared in whole seconds, which adds one; and what was judged within the window is
 * marked when its statement gets that far. A mark that is gone by then would open a second licence.
 */
export const MARK_LIFETIME_SECONDS = 2 * MARK_WINDOW_SECONDS + 1 + ADMISSION_TIMEOUT_SECONDS;

const ATTEMPTS_MAX = 4;

/**
 * Judges, marks, starts clocks and tells, in one statement for many licences: it commits as a whole or not at all, so
 * there is no licence without its mark and no mark without its licence.
 *
 * - `judged`: what all replicas share, by the database's clock, in the order in which a device is told.
 * - `fresh`: of two with the same proof in one batch the first; the other would pass beside it.
 * - `marks`: the one atomic test of first use. A proof in another statement at the same time makes this one wait and
 *   then insert nothing. Sorted, so that two statements wait for each other in one direction only.
 * - `tried`: which of them were first. Not a join: its rows are estimated few, and it would compare each with each. With
 *   them those that came without a proof, on the word of their merchant: there is nothing to be used twice.
 * - `clocks`: a play clock starts once. Who finds it started meanwhile leaves it alone.
 */
const ADMIT = `
  with moment as materialized (
    select clock_timestamp() as now
  ),
  asked as materialized (
    select given.*, moment.now
    from moment, unnest(
      $1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::float8[],
      $7::float8[], $8::float8[], $9::float8[], $10::text[], $11::text[], $12::text[]
    ) with ordinality as given (
      merchant_id, token_id, device_id, proven, jti, iat,
      available_from, available_until, play_seconds, play_clock, event, correlation_id, position
    )
  ),
  judged as materialized (
    select asked.*,
      case
        when abs(floor(extract(epoch from asked.now)) - asked.iat) > $13::float8 then 'iat-window'
        when $14::float8 > 0 and revocation_knowledge.current_at < asked.now - make_interval(secs => $14::float8) then 'revocations-stale'
        when revoked_devices.device_id is not null then 'device-revoked'
        when revoked_tokens.token_id is not null then 'token-revoked'
        when to_timestamp(asked.available_from) > asked.now then 'rental-not-started'
        when to_timestamp(asked.available_until) <= asked.now then 'rental-expired'
        when rental_clocks.started_at + make_interval(secs => asked.play_seconds) <= asked.now then 'rental-expired'
      end as refusal
    from asked
      cross join revocation_knowledge
      left join revoked_devices on (revoked_devices.merchant_id, revoked_devices.device_id) = (asked.merchant_id, asked.device_id)
      left join revoked_tokens on (revoked_tokens.merchant_id, revoked_tokens.token_id) = (asked.merchant_id, asked.token_id)
      left join rental_clocks on (rental_clocks.merchant_id, rental_clocks.subject) = (asked.merchant_id, asked.play_clock)
  ),
  fresh as materialized (
    select distinct on (device_id, jti) * from judged where refusal is null and proven order by device_id, jti, position
  ),
  marks as (
    insert into replay_marks (thumbprint, jti, seen_at)
    select device_id, jti, now from fresh order by device_id, jti
    on conflict do nothing
    returning thumbprint, jti
  ),
  tried as materialized (
    select fresh.*, (device_id, jti) in (select thumbprint, jti from marks) as granted from fresh
    union all
    select judged.*, true from judged where refusal is null and not proven
  ),
  clocks as (
    insert into rental_clocks (merchant_id, subject, started_at, available_until)
    select distinct on (merchant_id, play_clock) merchant_id, play_clock, now, to_timestamp(available_until)
    from tried where granted and play_clock is not null order by merchant_id, play_clock
    on conflict do nothing
  ),
  told as (
    insert into outbox_events (type, correlation_id, data)
    select '${LicenseGranted.type}', correlation_id, event::json from tried where granted and event is not null order by position
  )
  select coalesce(judged.refusal, case when tried.granted then 'granted' else 'proof-used' end) as verdict
  from judged left join tried on tried.position = judged.position
  order by judged.position`;

/** What all replicas share about licences, in the database. */
@Injectable()
export class AdmissionStore {
  /**
   * TypeORM's own pool, because TypeORM cannot name a statement. Named, it is planned once a connection: planning takes
   * twice as long as admitting one licence does.
   */
  private readonly pool: Pool;

  constructor(
    dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {
    this.pool = (dataSource.driver as unknown as { readonly master: Pool }).master;
  }

  /**
   * Admits or refuses each, and writes what follows from it. One verdict an admission, in their order. When it rejects,
   * nothing of the batch is known to be written, and nobody in it may have a licence.
   */
  async admit(admissions: readonly Admission[], revocationAgeSecondsMax: number): Promise<readonly Verdict[]> {
    const parameters = [...columnsOf(admissions), MARK_WINDOW_SECONDS, revocationAgeSecondsMax];
    const rows = await this.run(parameters);
    const verdicts = rows.map((row) => row.verdict);
    if (admissions.some((admission, index) => admission.event !== undefined && verdicts[index] === 'granted')) this.outbox.appended();
    return verdicts;
  }

  private async run(parameters: unknown[]): Promise<{ verdict: Verdict }[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.pool.query<{ verdict: Verdict }>({ name: 'admit-licenses', text: ADMIT, values: parameters })).rows;
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX || !isTransient(error)) throw error;
        // Run again at once, it could meet the other side in the same place.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
      }
    }
  }
}

function columnsOf(admissions: readonly Admission[]): unknown[][] {
  const column = (value: (admission: Admission) => unknown): unknown[] => admissions.map((admission) => value(admission) ?? null);
  return [
    column(({ merchantId }) => merchantId),
    column(({ tokenId }) => tokenId),
    column(({ deviceId }) => deviceId),
    column(({ proof }) => proof !== 'none'),
    column(({ proof }) => (proof === 'none' ? null : proof.jti)),
    column(({ proof }) => (proof === 'none' ? null : proof.iatSeconds)),
    column(({ rights }) => rights.availableFromSeconds),
    column(({ rights }) => rights.availableUntilSeconds),
    column(({ rights }) => rights.playDurationSeconds),
    column(({ rights }) => rights.playClock),
    column(({ event }) => event && JSON.stringify(event)),
    column(({ correlationId }) => correlationId),
  ];
}
