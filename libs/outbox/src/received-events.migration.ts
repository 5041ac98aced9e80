import type { MigrationInterface, QueryRunner } from 'typeorm';
import { INBOX_SLOTS, slotsOf } from './inbox-slots.js';

/**
 * The inbox as a ring of partitions, one for each day (ADR 18). A partition is emptied as a whole before its day comes
 * round again.
 *
 * The table of the version before stays, because its replicas serve meanwhile and may come back: a trigger has what
 * they write pass the ring first, so that no event has its effect in both versions.
 */
export class PartitionInbox1700000030000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'PartitionInbox1700000030000';

  /** Makes the ring, and the way into it for the version before. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table received_events (
        event_id text collate "C" not null,
        source text collate "C" not null,
        slot smallint not null,
        primary key (event_id, source, slot)
      ) partition by list (slot)`);
    for (let slot = 0; slot < INBOX_SLOTS; slot += 1) {
      const name = `received_events_${String(slot).padStart(2, '0')}`;
      await runner.query(`create table ${name} partition of received_events for values in (${slot})`);
    }
    await runner.query(`
      create function receive_event_once() returns trigger language plpgsql as $$
      declare
        slots smallint[] := array(${slotsOf('statement_timestamp()')});
        inserted integer;
      begin
        insert into received_events (source, event_id, slot)
        select new.source, new.event_id, slot from unnest(slots) as slot order by slot
        on conflict do nothing;
        get diagnostics inserted = row_count;
        if inserted < cardinality(slots) then return null; end if;
        perform from received_events
        where source = new.source and event_id = new.event_id and slot <> all (slots) limit 1;
        if found then return null; end if;
        return new;
      end $$`);
    await runner.query(`
      create function unreceive_event() returns trigger language plpgsql as $$
      begin
        delete from received_events where source = old.source and event_id = old.event_id;
        return null;
      end $$`);
    await runner.query(`
      create trigger receive_event_once before insert on inbox_events
      for each row execute function receive_event_once()`);
    // Without the condition each old mark that is purged would be looked for in every partition.
    await runner.query(`
      create trigger unreceive_event after delete on inbox_events
      for each row when (old.received_at > statement_timestamp() - interval '1 day')
      execute function unreceive_event()`);
  }

  /** Takes the marks back into the one table. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop trigger receive_event_once on inbox_events');
    await runner.query('drop trigger unreceive_event on inbox_events');
    await runner.query(`
      insert into inbox_events (source, event_id)
      select distinct source, event_id from received_events on conflict do nothing`);
    await runner.query('drop function receive_event_once');
    await runner.query('drop function unreceive_event');
    await runner.query('drop table received_events');
  }
}
