import { Checkout, eventually } from '@latchkey/kits';
import type { Replica } from '../system/replica.js';
import type { System } from '../system/system.js';
import type { Order } from '../workload/ledger.js';
import { byLever, type Control, type Scene } from './control.js';
import { lateEnd, lostRefund, refundedPlays, supersededPlays } from './ended-tokens.js';
import { playing, purchase, registered, renewed } from './scenes.js';
import { neverPosted, postedTwice } from './webhooks.js';

/** Puts a purchase straight into the issuer's queue, as no checkout may: here the suite's own broker user does. */
async function slipIn({ system }: Scene, { terms }: Order): Promise<void> {
  const intruder = await Checkout.connect(system.middlemanAmqpUrl);
  const data = { merchantId: system.merchantId, ...terms, completedAt: new Date().toISOString() };
  await intruder.publish({ type: 'purchase.completed.v1', data, exchange: '', routingKey: 'token-issuer.in', userId: null });
  await intruder.close();
}

const lostPurchase: Control = {
  name: 'the issuer acknowledges purchases before it handles them, and then forgets them',
  invariant: 'I1',
  finding: /accepted and is in nobody’s books/,
  ...byLever('token-issuer', 'ack-early', { types: ['purchase.completed.v1'] }),
  provoke: async (scene) => purchase(scene, await registered(scene), 'amqp'),
};

const twoLiveTokens: Control = {
  name: 'a renewal leaves the old token alive, and no unique index minds',
  invariant: 'I2',
  finding: /were seen live at once/,
  sabotage: async (system) => {
    await system.sql('token-issuer', 'drop index if exists tokens_one_live_per_purchase');
    await byLever('token-issuer', 'keep-superseded').sabotage(system);
  },
  // With a purchase of its own: a token of an act before may have expired by now, and of an expired one and its successor only one is live.
  provoke: async (scene) => {
    const { order } = await playing(scene);
    await renewed(scene, order);
  },
  restore: byLever('token-issuer', 'keep-superseded').restore,
};

const forgedPurchase: Control = {
  name: 'the issuer believes of every message that it came from the checkout',
  invariant: 'I3',
  finding: /which nobody made/,
  ...byLever('token-issuer', 'trust-everybody'),
  provoke: async (scene) => slipIn(scene, await registered(scene)),
};

const lostBinding: Control = {
  name: 'the cookie service acknowledges registrations before it handles them, and then forgets them',
  invariant: 'I4',
  finding: /is bound since \d.* the cookie service has null/,
  ...byLever('cookie', 'ack-early', { types: ['device.registered.v1'] }),
  provoke: async (scene) => void (await registered(scene)),
};

/** The registry publishes again what it could not delete, under the same id, as every crash at that moment makes it do. */
const heardTwice: Control = {
  name: 'the gateway skips its inbox',
  invariant: 'I4',
  finding: /device\.registered\.v1 of .* stands in the feed [2-9] times/,
  ...byLever('gateway', 'skip-inbox'),
  provoke: async (scene) => {
    const replicas = scene.system.of('device-registry');
    const struckBefore = strikesOf(replicas);
    for (const { inside } of replicas) await inside.pull({ lever: 'die-before-outbox-delete', options: { nth: 1 } });
    await registered(scene);
    const struck = async (): Promise<void> => {
      if (strikesOf(replicas) === struckBefore) throw new Error('no registry has died before it deleted from its outbox');
    };
    await eventually(struck, { timeoutMs: 15_000 });
    await scene.system.ready();
  },
};

function strikesOf(replicas: readonly Replica[]): number {
  return replicas.reduce((sum, replica) => sum + replica.strikes(), 0);
}

const unheardEvents: Control = {
  name: 'the registry deletes events from its outbox that it never published',
  invariant: 'I4',
  finding: /device\.registered\.v1 of .* stands in the feed 0 times/,
  ...byLever('device-registry', 'publish-nothing'),
  provoke: async (scene) => void (await registered(scene)),
};

const deaf: Control = {
  name: 'the cookie service takes events and never says anything of them again',
  invariant: 'I5',
  finding: /queue cookie\.in has \d+ deliveries in flight/,
  ...byLever('cookie', 'deaf'),
  provoke: async (scene) => {
    await registered(scene);
    const inFlight = async (): Promise<void> => {
      const queue = (await scene.system.queues()).find(({ name }) => name === 'cookie.in');
      if (!queue?.unacknowledged) throw new Error('the management API does not know of the delivery yet');
    };
    await eventually(inFlight, { timeoutMs: 15_000, intervalMs: 250 });
  },
  restore: async (system) => {
    await byLever('cookie', 'deaf').restore(system);
    // What it took comes again over another connection.
    await system.management.closeConnections('services');
    await consumersOf(system, 'cookie.in', 2);
  },
};

const leak: Control = {
  name: 'a process holds on to 300 MiB',
  invariant: 'I6',
  finding: /MiB more than before/,
  sabotage: (system) => system.of('cookie')[0]!.inside.pull({ lever: 'leak', options: { mebibytes: 300 } }),
  provoke: async () => undefined,
  restore: (system) => system.of('cookie')[0]!.inside.release('leak'),
};

const stoppedConsuming: Control = {
  name: 'the cookie service does not consume again after its connection was lost',
  invariant: 'I7',
  finding: /queue cookie\.in has 0 consumers/,
  ...byLever('cookie', 'stop-consuming'),
  provoke: async ({ system }) => {
    await system.management.closeConnections('services');
    await consumersOf(system, 'cookie.in', 0);
    await consumersOf(system, 'token-issuer.in', 2);
  },
};

const anyDevice: Control = {
  name: 'the licence server does not compare the token’s device with the one that asks',
  invariant: 'I8',
  finding: /which is not bound to its cookie/,
  ...byLever('license-server', 'any-device'),
  provoke: ({ workload }) => workload.tellAll(['deviceFirst']),
};

const lostRevocation: Control = {
  name: 'the licence server acknowledges revocations before it handles them, and then forgets them',
  invariant: 'I8',
  finding: /in spite of revoked devices/,
  ...byLever('license-server', 'ack-early', { types: ['device.revoked.v1', 'token.revoked.v1'] }),
  provoke: ({ workload }) => workload.tellAll(['revocation']),
};

const forgottenProofs: Control = {
  name: 'the licence server forgets which proofs were used',
  invariant: 'I9',
  finding: /was worth \d+ licences/,
  ...byLever('license-server', 'forget-proofs'),
  provoke: ({ workload }) => workload.tellAll(['deviceFirst']),
};

/** Controls that do not get into each other's way are performed together, in this order. */
export const acts: readonly (readonly Control[])[] = [
  [forgedPurchase, lostBinding, leak, anyDevice, forgottenProofs, lostRevocation],
  [lostPurchase, heardTwice, twoLiveTokens],
  [deaf],
  [stoppedConsuming, unheardEvents],
  [lostRefund, refundedPlays, supersededPlays],
  [lateEnd, neverPosted],
  [postedTwice],
];

async function consumersOf(system: System, queue: string, wanted: number): Promise<void> {
  const look = async (): Promise<void> => {
    const consumers = (await system.queues()).find(({ name }) => name === queue)?.consumers;
    if (consumers !== wanted) throw new Error(`queue ${queue} has ${consumers} consumers, not ${wanted}`);
  };
  await eventually(look, { timeoutMs: 30_000, intervalMs: 250 });
}
