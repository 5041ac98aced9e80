import type { TokenStep } from './final-state.js';
import type { Target } from './system/target.js';

/**
 * Has the issuer's database note when a token of a purchase becomes live and when it ends, in the order in which it
 * happens. Transactions on one purchase wait for each other, and what is rolled back takes its notes with it. So the order
 * is the database's own, and needs no allowance for clocks.
 */
const NOTE_STEPS = `
  create table if not exists faults_token_steps (
    step bigint generated always as identity primary key, purchase_id text not null, token_id text not null, what text not null
  );
  create or replace function faults_note_step() returns trigger language plpgsql as $$
  declare
    was_live boolean := tg_op <> 'INSERT' and old.purchase_id is not null and old.superseded_at is null and old.revoked_at is null;
    is_live boolean := tg_op <> 'DELETE' and new.purchase_id is not null and new.superseded_at is null and new.revoked_at is null;
  begin
    if is_live and not was_live then
      insert into faults_token_steps (purchase_id, token_id, what) values (new.purchase_id, new.token_id, 'live');
    elsif was_live and not is_live then
      insert into faults_token_steps (purchase_id, token_id, what) values (old.purchase_id, old.token_id, 'ended');
    end if;
    return null;
  end $$;
  create or replace trigger faults_note_step after insert or update or delete on tokens
    for each row execute function faults_note_step()`;

/** Begins to note; what was there before is not noted. */
export async function noteTokenSteps(target: Target): Promise<void> {
  await target.sql('token-issuer', NOTE_STEPS);
}

/** What was noted, in its order. Empty where nothing was to be noted. */
export const READ_TOKEN_STEPS = `select purchase_id as "purchaseId", token_id as "tokenId", what from faults_token_steps order by step`;

/** Two tokens of one purchase that were live at once, in an order of steps. */
export function liveTogether(steps: readonly TokenStep[]): { readonly purchaseId: string; readonly tokenIds: readonly [string, string] }[] {
  const live = new Map<string, Set<string>>();
  return steps.flatMap(({ purchaseId, tokenId, what }) => {
    const tokens = live.get(purchaseId) ?? new Set<string>();
    live.set(purchaseId, tokens);
    if (what === 'ended') {
      tokens.delete(tokenId);
      return [];
    }
    const others = [...tokens].map((other) => ({ purchaseId, tokenIds: [other, tokenId] as [string, string] }));
    tokens.add(tokenId);
    return others;
  });
}
