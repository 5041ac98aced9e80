import { eventually } from '@latchkey/kits';
import type { System } from '../system/system.js';
import type { Control } from './control.js';
import { registered } from './scenes.js';

const POST_NOTHING = `
  create function faults_post_nothing() returns trigger language plpgsql as $$
  begin
    new.state := 'delivered';
    new.settled_at := statement_timestamp();
    return new;
  end $$;
  create trigger faults_post_nothing before insert on webhook_deliveries for each row execute function faults_post_nothing()`;
const POST_AGAIN = 'drop trigger faults_post_nothing on webhook_deliveries; drop function faults_post_nothing';

export const neverPosted: Control = {
  name: 'the gateway notes webhook deliveries as delivered and does not post them',
  invariant: 'I10',
  finding: /was not received: its delivery is delivered/,
  sabotage: async (system) => void (await system.sql('gateway', POST_NOTHING)),
  provoke: async (scene) => {
    const before = await deliveriesOf(scene.system);
    await registered(scene);
    const made = async (): Promise<void> => {
      if ((await deliveriesOf(scene.system)) === before) throw new Error('no delivery was made yet');
    };
    await eventually(made, { timeoutMs: 15_000 });
  },
  restore: async (system) => void (await system.sql('gateway', POST_AGAIN)),
};

export const postedTwice: Control = {
  name: 'the gateway posts a delivery again that was taken',
  invariant: 'I10',
  finding: /was received again without a fault in between/,
  sabotage: async () => undefined,
  provoke: async ({ system, workload }) => {
    const receipts = workload.receiver.received.length;
    await system.sql(
      'gateway',
      `update webhook_deliveries set state = 'pending', settled_at = null, due_at = statement_timestamp(), lease_id = null, leased_until = null
       where delivery_id = (select delivery_id from webhook_deliveries where state = 'delivered' and attempts > 0 order by sequence desc limit 1)`,
    );
    const again = (): void => {
      if (workload.receiver.received.length === receipts) throw new Error('it was not posted again yet');
    };
    await eventually(again, { timeoutMs: 30_000 });
  },
  restore: async () => undefined,
};

async function deliveriesOf(system: System): Promise<number> {
  const [row] = await system.sql<{ n: number }>('gateway', 'select count(*)::int as n from webhook_deliveries');
  return row!.n;
}
