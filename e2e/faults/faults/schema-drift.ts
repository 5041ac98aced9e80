import { setTimeout as delay } from 'node:timers/promises';
import { Middleman, type Published, withData } from '../system/middleman.js';
import type { Fault } from './fault.js';
import type { Service } from '../system/target.js';
import { within } from './pause.js';
import { quarantined } from './poison.js';

const publishers: readonly Service[] = ['cookie', 'device-registry', 'token-issuer', 'license-server'];

/** As a later version of the service would write: a field more in every event. Consumers have to leave it alone. */
const addField = `
  create or replace function faults_drift() returns trigger language plpgsql as $$
  begin
    new.data := (new.data::jsonb || '{"addedLater": {"by": ["a later version"]}}')::json;
    return new;
  end $$;
  drop trigger if exists faults_drift on outbox_events;
  create trigger faults_drift before insert on outbox_events for each row execute function faults_drift()`;
const addNoField = `
  drop trigger if exists faults_drift on outbox_events;
  drop function if exists faults_drift`;

/** A purchase of its own, which nobody else knows; good in all but what a case changes. */
const stranger = (data: Record<string, unknown>): Record<string, unknown> => ({ ...data, purchaseId: `drifted-${crypto.randomUUID()}` });
const renamed = (message: Published, from: string, to: string): Published =>
  withData(message, (data) => {
    const { [from]: value, ...others } = stranger(data);
    return { ...others, [to]: value };
  });
const without = (message: Published, name: string): Published =>
  withData(message, (data) => Object.fromEntries(Object.entries(stranger(data)).filter(([key]) => key !== name)));

/** A schema drifts: added fields are fine, what lacks or renames one steps aside, and a v2 nobody hears comes back. */
export const schemaDrift: Fault = {
  name: 'schema-drift',
  repeatsEvents: true,
  async strike(system) {
    const before = await quarantined(system);
    const middleman = await Middleman.begin(system, (routingKey) => routingKey === 'purchase.completed.v1');
    let [fine, aside] = [0, 0];
    try {
      for (const service of publishers) await system.sql(service, addField);
      await within(10_000, () => middleman.seen.length >= 3);
      for (const message of middleman.seen.slice(0, 8).filter(isReadable)) {
        fine += (await middleman.publish(withData(message, (data) => ({ ...data, addedLater: { by: ['a later version'] } })))) ? 1 : 0;
        const bad = [without(message, 'cookie'), without(message, 'rights'), renamed(message, 'kids', 'keyIds'), renamed(message, 'purchaseId', 'orderId')];
        for (const one of bad) aside += (await middleman.publish(one)) ? 1 : 0;
        const headers = { ...message.headers, cloudEvents_type: 'purchase.completed.v2', 'cloudEvents:type': 'purchase.completed.v2' };
        const routed = await middleman.publish({ ...withData(message, stranger), headers, routingKey: 'purchase.completed.v2' });
        if (routed) throw new Error('somebody takes purchase.completed.v2, which nobody knows');
      }
      await delay(2_000);
    } finally {
      for (const service of publishers) await system.sql(service, addNoField);
      await middleman.end();
    }
    const allAside = await within(30_000, async () => (await quarantined(system)) >= before + aside);
    if (!allAside) throw new Error(`of ${aside} events of another schema only ${(await quarantined(system)) - before} are in quarantine`);
    return fine + aside;
  },
};

function isReadable({ content }: Published): boolean {
  try {
    return typeof JSON.parse(content.toString()) === 'object';
  } catch {
    return false;
  }
}
