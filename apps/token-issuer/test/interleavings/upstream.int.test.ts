import { requests } from '@latchkey/contracts';
import { interleavingBounds, isLongForm, type Scenario, type Work } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FulfilOrders } from '../../src/upstream/fulfil-orders.js';
import { UpstreamOrders } from '../../src/upstream/upstream-orders.js';
import { Upstreams } from '../../src/upstream/upstreams.js';
import { completed, refunded, revoked, terms } from '../issuer.js';
import { newHex } from '../sales.js';
import { ACME, boundCookie, makeDue, upstreamEnv } from '../upstream-merchant.js';
import { UpstreamStub } from '../upstream-stub.js';
import { judgeSale } from './judge-issuer.js';
import { type QuietIssuer, startQuietIssuer } from './quiet-issuer.js';

let stub: UpstreamStub;
let quiet: QuietIssuer;

beforeAll(async () => {
  stub = await UpstreamStub.start();
  quiet = await startQuietIssuer({ env: upstreamEnv(stub) });
});

afterAll(async () => {
  await quiet.stop();
  await stub.stop();
});

/** Fulfils what is due. Without a lease another replica takes the same order at once, as if this one had been away. */
async function fulfilDue(): Promise<void> {
  const { app } = quiet.issuer;
  const account = app.get(Upstreams).all.find(({ provider }) => provider.merchantId === ACME)!;
  const orders = await app.get(UpstreamOrders).claim(ACME, { limit: 10, leaseSeconds: 0 });
  for (const order of orders) await app.get(FulfilOrders)['fulfil'](account, order);
}

/** A purchase whose token is ordered from its provider, and what can meet its order. */
async function orderedSale() {
  const { issuer } = quiet;
  const { cookie, deviceId, binding } = await boundCookie(issuer);
  const [kid, key] = [newHex(), newHex()];
  await issuer.ask(requests.putContentKey, { merchantId: ACME, kid, key });
  const purchase = terms({ merchantId: ACME, cookie, kids: [kid] });
  await issuer.hear(completed(purchase));
  const sale = {
    merchantId: ACME,
    cookie,
    deviceId,
    contentId: 'film-42',
    kid,
    key,
    rights: purchase.rights,
    ttlSeconds: 86_400,
  };
  const acts = {
    order: fulfilDue,
    'order-again': fulfilDue,
    refund: () => issuer.hear(refunded(purchase)),
    revocation: () => issuer.hear(revoked(binding)),
    'sale-call': () => issuer.bus.ask(requests.issueCorrelatedToken.name, sale),
    renewal: () => issuer.bus.ask(requests.getPurchaseToken.name, purchase),
  } satisfies Work;
  const drain = async (): Promise<void> => {
    await makeDue(issuer, purchase.purchaseId);
    await fulfilDue();
  };
  return { purchase, deviceId, acts, drain };
}

type OrderAct = keyof Awaited<ReturnType<typeof orderedSale>>['acts'];

const scenarioOf = (...names: OrderAct[]): Scenario => ({
  name: names.join(' × '),
  prepare: async () => {
    const { purchase, deviceId, acts, drain } = await orderedSale();
    return {
      work: Object.fromEntries(names.map((name) => [name, acts[name]])),
      judge: async (results) => {
        const failed = [...results].flatMap(([name, result]) =>
          result.status === 'rejected' ? [`${name} failed: ${String(result.reason)}`] : [],
        );
        await drain();
        const facts = { ...purchase, deviceId, refunded: names.includes('refund'), accepted: true, mustEnd: true };
        return [...failed, ...(await judgeSale(quiet.issuer, facts))];
      },
    };
  },
});

const others: OrderAct[] = ['order-again', 'refund', 'revocation', 'sale-call', 'renewal'];
const scenarios = [
  ...others.map((other) => scenarioOf('order', other)),
  scenarioOf('refund', 'sale-call'),
  scenarioOf('revocation', 'sale-call'),
  scenarioOf('order', 'order-again', 'refund'),
  scenarioOf('order', 'refund', 'sale-call'),
  scenarioOf('order', 'revocation', 'sale-call'),
];

it.each(scenarios)(
  '$name, of a purchase with an upstream',
  async (scenario) => {
    const { broken } = await quiet.explorer.explore(scenario, interleavingBounds());
    expect(broken?.report).toBeUndefined();
  },
  isLongForm() ? 600_000 : 60_000,
);
