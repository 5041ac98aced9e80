import { eventually } from '@latchkey/kits';
import { completed, Issuer, type Neighbours, registered, terms } from './issuer.js';
import type { UpstreamStub } from './upstream-stub.js';

/** The merchant whose tokens come from the stub. */
export const ACME = 'acme';
export const AUTHENTICATOR = '201722,1ad8eed133edf43cbcc185f0236828ae';

/** What a token issuer is configured with, so that a merchant's tokens come from the stub. */
export function upstreamEnv(stub: UpstreamStub, change: object = {}): Record<string, string> {
  const entry = { merchantId: ACME, kind: 'expressplay', drm: 'pr', url: stub.origin, customerAuthenticator: AUTHENTICATOR, timeoutMs: 5_000, ...change };
  return { LATCHKEY_TOKEN_PROVIDERS: JSON.stringify([entry]) };
}

/** A PlayReady device id that no other test uses. */
export function newDrmId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

/** A cookie whose device has registered, at the registry and here. */
export async function boundCookie(issuer: Issuer): Promise<{ cookie: string; deviceId: string; binding: ReturnType<Neighbours['bind']> }> {
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId: ACME }), newDrmId(), 'asserted');
  await issuer.hear(registered(binding));
  return { cookie: binding.cookie, deviceId: binding.deviceId, binding };
}

/** A purchase of a device that is there, accepted by event. */
export async function buy(issuer: Issuer, cookie: string, given: Partial<Parameters<typeof terms>[0]> = {}): Promise<ReturnType<typeof terms>> {
  const purchase = terms({ merchantId: ACME, cookie, kids: [await issuer.kid(ACME)], ...given });
  const verdicts = await issuer.hear(completed(purchase));
  if (verdicts.join() !== 'done') throw new Error(verdicts.join());
  return purchase;
}

/** Waits until a purchase has come to a state. */
export async function untilState(issuer: Issuer, purchaseId: string, state: string): Promise<void> {
  await eventually(async () => {
    const [row] = await issuer.rows<{ state: string }>('select state from purchases where purchase_id = $1', [purchaseId]);
    if (row?.state !== state) throw new Error(`${row?.state}`);
  });
}

/** Makes an order due now, as the end of its lease does. */
export async function makeDue(issuer: Issuer, purchaseId: string): Promise<void> {
  await issuer.rows(`update upstream_orders set due_at = clock_timestamp() where purchase_id = $1`, [purchaseId]);
}

/** The order of a purchase as it stands. */
export async function orderOf(issuer: Issuer, purchaseId: string): Promise<{ attempts: number; last_failure: string | null } | undefined> {
  const [row] = await issuer.rows<{ attempts: number; last_failure: string | null }>('select attempts, last_failure from upstream_orders where purchase_id = $1', [purchaseId]);
  return row;
}
