import type { Random } from '../random.js';
import { basicAck, basicPublish } from '../system/method-finder.js';
import type { System } from '../system/system.js';
import type { Fault } from './fault.js';
import type { TcpProxy } from '../system/tcp-proxy.js';
import { pause, within } from './pause.js';

type Ways = (system: System) => readonly TcpProxy[];

const toBroker: Ways = ({ proxies }) => [proxies.broker, proxies.checkout];
const toDatabase: Ways = ({ proxies }) => Object.values(proxies.databases);

/** Connections end with a reset, some of them or all, several times. */
function resets(name: string, ways: Ways): Fault {
  return {
    name,
    async strike(system, random) {
      let struck = 0;
      for (let round = 0; round < 4; round += 1) {
        await pause(random, 100, 1_200);
        const share = random.pick([0.2, 0.5, 1]);
        for (const proxy of ways(system)) struck += proxy.reset(() => random.chance(share));
      }
      await system.ready();
      return struck;
    },
  };
}

/** Nothing comes through any more and nobody says so; then some connections go on and the others turn out to be dead. */
function hangs(name: string, ways: Ways, leastMs: number, mostMs: number): Fault {
  return {
    name,
    async strike(system, random) {
      await pause(random, 50, 500);
      const struck = ways(system).reduce((sum, proxy) => sum + proxy.hang(), 0);
      await pause(random, leastMs, mostMs);
      for (const proxy of ways(system)) proxy.release(() => random.chance(0.5));
      await system.ready();
      return struck;
    },
  };
}

/** A connection ends in the middle of a message that is being published: after its method, its header, or half its body. */
const cutInPublish: Fault = {
  name: 'cut-in-the-middle-of-a-publish',
  strike: (system, random) => cuts(system, random, (proxy) => proxy.cutAt('client', basicPublish, { letBytes: random.between(1, 400), times: 2 })),
};

/** The broker has a message safe, and the connection ends before its publisher hears so. */
const cutBeforeConfirm: Fault = {
  name: 'cut-before-the-confirm',
  strike: (system, random) => cuts(system, random, (proxy) => proxy.cutAt('server', basicAck, { letBytes: 0, times: 2 })),
};

async function cuts(system: System, random: Random, begin: (proxy: TcpProxy) => void): Promise<number> {
  const proxies = toBroker(system);
  await pause(random, 50, 500);
  proxies.forEach(begin);
  await within(5_000, () => proxies.every((proxy) => proxy.cutsLeft === 0));
  const struck = proxies.reduce((sum, proxy) => sum + proxy.stopCutting(), 0);
  await system.ready();
  return struck;
}

export const networkFaults: readonly Fault[] = [
  resets('broker-connections-reset', toBroker),
  resets('database-connections-reset', toDatabase),
  hangs('broker-connections-hang', toBroker, 3_000, 6_000),
  hangs('database-connections-hang', toDatabase, 2_000, 5_000),
  { ...hangs('broker-connections-hang-past-heartbeats', toBroker, 40_000, 40_000), heavy: true },
  cutInPublish,
  cutBeforeConfirm,
];
