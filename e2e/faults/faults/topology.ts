import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../system/system.js';
import type { Fault } from './fault.js';
import { services } from '../system/target.js';
import { pause, within } from './pause.js';

interface Binding {
  readonly source: string;
  readonly destination: string;
  readonly destination_type: string;
  readonly routing_key: string;
  readonly properties_key: string;
}

/** How long the services may take to notice that something of theirs is gone, and to make it again. */
const HEALED_WITHIN_MS = 30_000;

/** A binding of a service's queue is gone, and nobody brings it back but the services themselves. */
export const bindingRemoved: Fault = {
  name: 'binding-removed',
  async strike(system, random) {
    let removed = 0;
    for (let round = 0; round < 3; round += 1) {
      await pause(random, 50, 900);
      const all = (await bindings(system)).filter(({ source, destination }) => source !== '' && destination.endsWith('.in'));
      const gone = random.pick(all.sort((one, other) => keyOf(one).localeCompare(keyOf(other))));
      const path = ['bindings', system.vhostName, 'e', gone.source, 'q', gone.destination, gone.properties_key].map(encodeURIComponent).join('/');
      await system.management.request('DELETE', `/api/${path}`);
      removed += 1;
      const healed = await within(HEALED_WITHIN_MS, async () => (await bindings(system)).some((binding) => keyOf(binding) === keyOf(gone)));
      if (!healed) throw new Error(`nobody has made the binding of ${gone.destination} to ${gone.source} with ${gone.routing_key} again`);
    }
    return removed;
  },
};

/**
 * A queue is deleted under its consumers, who hear `basic.cancel`, and is made again by them. What lies in a deleted queue
 * is lost whoever does what, so it is deleted while nothing gets through to the broker and nothing lies in it.
 */
export const queueDeleted: Fault = {
  name: 'queue-deleted',
  async strike(system, random) {
    let deleted = 0;
    for (const service of random.shuffle(services).slice(0, 2)) {
      await pause(random, 50, 500);
      if (await deleteInput(system, service)) {
        deleted += 1;
        await consumedAgain(system, `${service}.in`);
      }
    }
    const requests = `${random.pick(['cookie', 'device-registry', 'token-issuer'])}.requests`;
    await system.management.deleteQueue(requests);
    await consumedAgain(system, requests);
    return deleted + 1;
  },
};

/** The management API counts once a second; what it says of a broker that hears nobody is true after two. */
const COUNTED_AFTER_MS = 2_300;

async function deleteInput(system: System, service: string): Promise<boolean> {
  const { broker, checkout } = system.proxies;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    broker.hang();
    checkout.hang();
    try {
      await delay(COUNTED_AFTER_MS);
      const mine = (await system.queues()).filter(({ name }) => name === `${service}.in` || name.startsWith(`${service}.retry.`));
      if (mine.every(({ messages }) => messages === 0)) {
        await system.management.deleteQueue(`${service}.in`);
        return true;
      }
    } finally {
      broker.release(() => true);
      checkout.release(() => true);
    }
    await delay(500);
  }
  return false;
}

async function consumedAgain(system: System, queue: string): Promise<void> {
  const replicas = system.of('cookie').length;
  const healed = await within(HEALED_WITHIN_MS, async () => (await system.queues()).some(({ name, consumers }) => name === queue && consumers === replicas));
  if (!healed) throw new Error(`${queue} was deleted and has not got its consumers back`);
}

async function bindings(system: System): Promise<Binding[]> {
  return system.management.request('GET', `/api/bindings/${system.vhostName}`);
}

function keyOf({ source, destination, routing_key: routingKey }: Binding): string {
  return JSON.stringify([source, destination, routingKey]);
}
