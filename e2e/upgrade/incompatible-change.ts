import type { Release } from '../faults/system/replica.js';
import type { System } from '../faults/system/system.js';

/** Marks the database sessions of a release, so that the server can tell the two apart. */
export function marked(release: Release): Release {
  return { ...release, env: { ...release.env, PGOPTIONS: `-c latchkey.release=${release.name}` } };
}

/**
 * A migration as none may be: what the previous release writes to purchases has another name now. To its sessions the
 * column is gone, and those of the present release go on. The previous release must have been started `marked`.
 */
export async function renameWhatThePreviousReleaseWrites(system: System): Promise<void> {
  await system.sql(
    'token-issuer',
    `create function upgrade_suite_rename() returns trigger language plpgsql as $$
     begin
       if current_setting('latchkey.release', true) = 'previous' then
         raise exception 'column "rights" of relation "purchases" does not exist' using errcode = '42703';
       end if;
       return null;
     end $$;
     create trigger upgrade_suite_rename before insert or update on purchases
       for each statement execute function upgrade_suite_rename()`,
  );
}
