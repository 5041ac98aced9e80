import { interleavingBounds, isLongForm } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type QuietIssuer, startQuietIssuer } from './quiet-issuer.js';
import { type ActName, actNames, saleWorld, type Start, starts } from './sale-world.js';

let quiet: QuietIssuer;

beforeAll(async () => {
  quiet = await startQuietIssuer();
});

afterAll(() => quiet.stop());

const pairs = actNames.flatMap((one, index) => actNames.slice(index).map((other): ActName[] => [one, other]));
const triples: ActName[][] = [
  ['refund', 'purchase', 'registration'],
  ['refund', 'purchase', 'revocation'],
  ['refund', 'purchase', 'sale-call'],
  ['refund', 'registration', 'renewal'],
  ['refund', 'expiry', 'registration'],
  ['revocation', 'registration', 'purchase'],
  ['revocation', 'renewal', 'sale-call'],
  ['purchase', 'purchase-call', 'sale-call'],
  ['purchase', 'registration', 'sale-call'],
];
const cases = starts.flatMap((start) =>
  [...pairs, ...triples].map((acts) => ({ start, acts, name: acts.join(' × ') })),
);

it.each(cases)(
  '$name, from $start',
  async ({ start, acts, name }: { start: Start; acts: ActName[]; name: string }) => {
    const scenario = { name: `${name}, from ${start}`, prepare: () => saleWorld(quiet.issuer, start, acts) };
    const { broken } = await quiet.explorer.explore(scenario, interleavingBounds());
    expect(broken?.report).toBeUndefined();
  },
  isLongForm() ? 600_000 : 60_000,
);
