import { FakeDevice } from '@latchkey/kits';
import { REVOCATION_BITES_MS } from '../checker/bound-device-only.js';
import type { Terms } from '../operation.js';
import type { Actor, PresentedProof } from './actor.js';
import type { HeldToken, Order } from './ledger.js';
import { salesByOtherWays } from './sales-by-other-ways.js';
import { pause } from './world.js';

const TOKEN_WAIT_SECONDS = 5;
/** Shorter than anybody waits in a run, long enough for a first licence. */
const PLAY_DURATION_SECONDS = 3;
const REFUND_LOOKS_MAX = 20;
const REFUND_LOOK_EVERY_MS = 250;
/** A cookie whose time is over before the run is. */
const SHORT_LIVED_SECONDS = 5;

/** A story is over when its actor has nothing more to do, or the run is. */
export type Story = (actor: Actor) => Promise<void>;

/** What customers, checkouts, thieves and merchants do, each a story of its own. The quiet end of a run tells each once. */
export const stories: Readonly<Record<string, Story>> = {
  ...salesByOtherWays,

  async deviceFirst(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    await actor.register(order.devices[0]!, order.terms.cookie);
    await placeRepeatedly(actor, order.terms);
    await play(actor, order);
  },

  async purchaseFirst(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    await place(actor, order.terms);
    await Promise.all([actor.register(order.devices[0]!, order.terms.cookie), actor.show(order.terms.purchaseId)]);
    await play(actor, order);
  },

  /** Purchase and two devices at once: one device is bound, and the other can do nothing with what is issued. */
  async raceForCookie(actor) {
    const order = await openOrder(actor, {}, 2);
    if (!order) return;
    const [one, other] = order.devices as [FakeDevice, FakeDevice];
    await Promise.all([
      actor.register(one, order.terms.cookie),
      actor.register(other, order.terms.cookie),
      placeRepeatedly(actor, order.terms),
    ]);
    await play(actor, order);
  },

  async refundBefore(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    await refund(actor, order);
    await Promise.all([actor.register(order.devices[0]!, order.terms.cookie), place(actor, order.terms)]);
    await take(actor, order);
  },

  async refundAfter(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    await actor.register(order.devices[0]!, order.terms.cookie);
    await place(actor, order.terms);
    const held = await play(actor, order);
    // Some licences race the refund, which is fair; those after its second are not.
    await Promise.all([refund(actor, order), held && actor.license(held)]);
    await seeRefunded(actor, order);
    await tryInVain(actor, held);
    await take(actor, order);
  },

  async revocation(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    const device = order.devices[0]!;
    await actor.register(device, order.terms.cookie);
    await place(actor, order.terms);
    const held = await play(actor, order);
    const another = { ...order.terms, purchaseId: `order-${crypto.randomUUID()}` };
    actor.world.ledger.open(another, order.devices, order.seller);
    await Promise.all([actor.persist(() => actor.revoke(device.deviceId)), place(actor, another)]);
    await tryInVain(actor, held);
    await take(actor, order);
  },

  async rental(actor) {
    const availableUntil = new Date(Date.now() + 3_600_000).toISOString();
    const order = await openOrder(actor, { rights: { type: 'rental', availableUntil, playDurationSeconds: PLAY_DURATION_SECONDS } });
    if (!order) return;
    await Promise.all([actor.register(order.devices[0]!, order.terms.cookie), place(actor, order.terms)]);
    const held = await take(actor, order);
    if (!held) return;
    await actor.license(held);
    await pause((PLAY_DURATION_SECONDS + 1.5) * 1_000, actor.world.over);
    await actor.license(held);
  },

  /** The same purchase with other content: put aside or refused, and the purchase stays as it was. */
  async conflict(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    await actor.register(order.devices[0]!, order.terms.cookie);
    await place(actor, order.terms);
    await take(actor, order);
    await place(actor, { ...order.terms, contentId: 'another-film' });
    await play(actor, order);
  },

  async namesAnotherDevice(actor) {
    const order = await openOrder(actor, { deviceId: new FakeDevice().deviceId });
    if (!order) return;
    await Promise.all([actor.register(order.devices[0]!, order.terms.cookie), place(actor, order.terms)]);
    await take(actor, order);
  },

  async neverRegisters(actor) {
    const order = await openOrder(actor, {}, 1, SHORT_LIVED_SECONDS);
    if (!order) return;
    await place(actor, order.terms);
    await actor.show(order.terms.purchaseId);
  },

  async direct(actor) {
    const order = await openOrder(actor);
    if (!order) return;
    const { terms, devices } = order;
    await actor.register(devices[0]!, terms.cookie);
    const held = await actor.directToken(terms.cookie, terms.kids, devices[0]!);
    if (!held) return;
    actor.world.ledger.directTokens.push(held);
    await useAndMisuse(actor, held);
  },

  /** A revisit of somebody's order: what it was given then may have been renewed, refunded or revoked since. */
  async revisit(actor) {
    const { orders } = actor.world.ledger;
    if (orders.length === 0) return;
    const order = actor.random.pick(orders);
    await take(actor, order, 0);
    // The licences of an upstream token are given at its provider.
    if (order.seller !== actor.world.seller) return;
    for (const held of order.tokens.values()) await actor.license(held);
  },
};

async function openOrder(actor: Actor, change: Partial<Terms> = {}, devices = 1, ttlSeconds?: number): Promise<Order | undefined> {
  const { world, random } = actor;
  const cookie = await actor.cookie(`account-${random.between(1, 50)}`, ttlSeconds);
  if (cookie === undefined) return undefined;
  const kids = random.shuffle(world.kids).slice(0, random.between(1, 2));
  const terms: Terms = { purchaseId: `order-${crypto.randomUUID()}`, cookie, contentId: 'film', kids, rights: { type: 'purchase' }, ...change };
  return world.ledger.open(terms, Array.from({ length: devices }, () => new FakeDevice()), world.seller);
}

/** Places a purchase by either way, again and again under the same id until it is accepted or refused. */
async function place(actor: Actor, terms: Terms): Promise<void> {
  const messageId = crypto.randomUUID();
  const via = actor.random.chance(0.75) ? 'amqp' : 'http';
  await actor.persist(() => actor.purchase(terms, via, messageId));
}

/** The same purchase several times at once, under one message id and under others. */
async function placeRepeatedly(actor: Actor, terms: Terms): Promise<void> {
  const messageId = crypto.randomUUID();
  await Promise.all([
    actor.persist(() => actor.purchase(terms, 'amqp', messageId)),
    ...Array.from({ length: actor.random.between(0, 2) }, () => actor.purchase(terms, 'amqp', messageId)),
    ...Array.from({ length: actor.random.between(0, 2) }, () => place(actor, terms)),
  ]);
}

async function refund(actor: Actor, { terms }: Order): Promise<void> {
  const messageId = crypto.randomUUID();
  const via = actor.random.chance(0.5) ? 'amqp' : 'http';
  await actor.persist(() => actor.refund(terms.purchaseId, via, messageId));
}

/** Looks until the refund is to be seen: one that went by the broker was only accepted, and has to come first. */
async function seeRefunded(actor: Actor, { terms }: Order): Promise<void> {
  for (let looks = 0; looks < REFUND_LOOKS_MAX && !actor.world.over.aborted; looks += 1) {
    const seen = await actor.show(terms.purchaseId);
    if (seen.kind === 'ok' && seen.value['state'] === 'refunded') return;
    await pause(REFUND_LOOK_EVERY_MS, actor.world.over);
  }
}

/** Waits for the token and notes it. */
async function take(actor: Actor, order: Order, waitSeconds = TOKEN_WAIT_SECONDS): Promise<HeldToken | undefined> {
  const { held } = await actor.token(order, waitSeconds);
  return held;
}

async function play(actor: Actor, order: Order): Promise<HeldToken | undefined> {
  const held = await take(actor, order);
  if (held) await useAndMisuse(actor, held);
  return held;
}

/** A licence for its device; none for a thief with a copy; one at most for a proof, now, at once and elsewhere. */
async function useAndMisuse(actor: Actor, held: HeldToken): Promise<void> {
  const { random, world } = actor;
  const { outcome, proof } = await actor.license(held);
  await actor.license(held, { device: new FakeDevice() });
  if (proof) await presentElsewhere(actor, held, proof);
  if (outcome.kind !== 'ok') return;
  const raced = actor.prove(held);
  const replicas = world.target.licenseServerUrls().length;
  await Promise.all(
    Array.from({ length: random.between(2, 8) }, (_, nth) => actor.license(held, { proof: raced, replica: nth % replicas })),
  );
  await pause(random.between(0, 1_500), world.over);
  await presentElsewhere(actor, held, { ...raced, replica: random.between(0, replicas - 1) });
}

async function presentElsewhere(actor: Actor, held: HeldToken, proof: PresentedProof): Promise<void> {
  const replicas = actor.world.target.licenseServerUrls().length;
  await actor.license(held, { proof, replica: (proof.replica + 1) % replicas });
}

/** A second and a little later the token must be worth nothing, at any replica. */
async function tryInVain(actor: Actor, held: HeldToken | undefined): Promise<void> {
  if (!held) return;
  await pause(REVOCATION_BITES_MS + 50, actor.world.over);
  for (const replica of actor.world.target.licenseServerUrls().keys()) await actor.license(held, { replica });
}
