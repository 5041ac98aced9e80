import type { FeedRow, FinalState, TokenRow } from '../final-state.js';
import type { Entry, Outcome } from '../history.js';
import type { Operation, Terms } from '../operation.js';

/** A history and a final state written down by hand: a good run in which one thing is then made wrong. */
export interface MadeUpRun {
  history: Entry[];
  final: FinalState;
}

export const ok = (value: Record<string, unknown> = {}): Outcome => ({ kind: 'ok', value });
export const refused = (status: number, code: string): Outcome => ({ kind: 'refused', status, code });
export const unknown: Outcome = { kind: 'unknown', why: 'no answer' };

/** An entry that began at `atMs` and took 10 ms unless told. Its index is its place in the run's history. */
export function add(run: MadeUpRun, atMs: number, operation: Operation, outcome: Outcome = ok(), tookMs = 10, actor = 'actor-0'): Entry {
  const entry = { index: run.history.length, actor, startedMs: atMs, endedMs: atMs + tookMs, operation, outcome };
  run.history.push(entry);
  return entry;
}

export const terms: Terms = { purchaseId: 'p1', cookie: 'c1', contentId: 'film', kids: ['k1'], rights: { type: 'purchase' } };

/** A token of purchase p1 for device d1, live from 2,000 to 100,000 unless changed. */
export function tokenRow(change: Partial<TokenRow> = {}): TokenRow {
  return {
    tokenId: 't1',
    purchaseId: 'p1',
    deviceId: 'd1',
    cookie: 'c1',
    kids: ['k1'],
    issuedMs: 2_000,
    expiresMs: 100_000,
    supersededMs: null,
    revokedMs: null,
    revokeReason: null,
    isUpstream: false,
    ...change,
  };
}

/** An event of the feed, which the gateway had at 3,150 unless told. */
export function feedRow(sequence: number, type: string, data: Record<string, unknown>, receivedMs = 3_150): FeedRow {
  return { sequence, type, data: { merchantId: 'default', ...data }, receivedMs };
}

export const license = (change: Partial<Extract<Operation, { type: 'license' }>> = {}): Operation => ({
  type: 'license',
  tokenId: 't1',
  purchaseId: 'p1',
  deviceId: 'd1',
  kids: ['k1'],
  replica: 0,
  proofId: `proof-${crypto.randomUUID()}`,
  ...change,
});

/** Device d1 registers with cookie c1, purchase p1 is published and accepted, its token t1 issued and used once. */
export function goodRun(): MadeUpRun {
  const run: MadeUpRun = { history: [], final: goodFinalState() };
  add(run, 500, { type: 'content-key', kid: 'k1' });
  add(run, 1_000, { type: 'cookie', accountId: 'a1' }, ok({ cookie: 'c1' }));
  add(run, 1_100, { type: 'register', cookie: 'c1', deviceId: 'd1', replica: 0, proofId: 'registration' });
  add(run, 1_900, { type: 'purchase', via: 'amqp', terms, messageId: 'm1' });
  add(run, 3_000, { type: 'token', purchaseId: 'p1', waitSeconds: 5 }, ok({ tokenId: 't1', deviceId: 'd1' }));
  add(run, 3_100, license({ proofId: 'first' }));
  return run;
}

/** The final state with parts of it changed. */
export function change(run: MadeUpRun, parts: { readonly [Part in keyof FinalState]?: Partial<FinalState[Part]> | FinalState[Part] }): MadeUpRun {
  const merged = Object.entries(parts).map(([name, part]) => {
    const before = run.final[name as keyof FinalState];
    const isRecord = typeof part === 'object' && part !== null && !Array.isArray(part);
    return [name, isRecord ? { ...(before as object), ...part } : part];
  });
  run.final = { ...run.final, ...(Object.fromEntries(merged) as Partial<FinalState>) };
  return run;
}

function goodFinalState(): FinalState {
  const memory = [{ service: 'cookie' as const, replica: 0, rssBytes: 200 * 1024 * 1024 }];
  const queues = [
    { name: 'cookie.in', messages: 0, unacknowledged: 0, consumers: 2 },
    { name: 'cookie.retry.5s', messages: 0, unacknowledged: 0, consumers: 0 },
    { name: 'cookie.dlq', messages: 3, unacknowledged: 0, consumers: 0 },
  ];
  return {
    healedMs: 40_000,
    drainedMs: 42_000,
    readMs: 60_000,
    issuer: {
      purchases: [{ purchaseId: 'p1', state: 'issued', code: null, cookie: 'c1', contentId: 'film', kids: ['k1'], tokenId: 't1' }],
      tokens: [tokenRow()],
      tokenSteps: [{ purchaseId: 'p1', tokenId: 't1', what: 'live' }],
      joins: [{ cookie: 'c1', deviceId: 'd1' }],
      devices: [{ deviceId: 'd1', revoked: false }],
      signingKeyIds: ['s1'],
    },
    registry: {
      devices: [{ deviceId: 'd1', revoked: false }],
      bindings: [{ cookie: 'c1', accountId: 'a1', deviceId: 'd1', registeredMs: 1_105 }],
      knownCookies: ['c1'],
    },
    cookies: [{ cookie: 'c1', expiresMs: 3_600_000, boundMs: 1_105 }],
    licenseServer: { revokedTokenIds: [], revokedDeviceIds: [], signingKeyIds: ['s1'] },
    feed: [
      feedRow(1, 'device.registered.v1', { cookie: 'c1' }),
      feedRow(2, 'purchase.completed.v1', { purchaseId: 'p1' }),
      feedRow(3, 'token.issued.v1', { tokenId: 't1' }),
      feedRow(4, 'license.granted.v1', { tokenId: 't1' }),
    ],
    webhook: {
      merchantId: 'default',
      deliveries: [1, 2, 3, 4].map((sequence) => ({ deliveryId: `msg_${sequence}`, sequence, state: 'delivered' })),
      received: [1, 2, 3, 4].map((sequence) => ({ deliveryId: `msg_${sequence}`, atMs: 3_200 + sequence })),
    },
    outbox: { cookie: 0, 'device-registry': 0, 'token-issuer': 0, 'license-server': 0, gateway: 0 },
    queues,
    quarantined: [],
    baseline: { atMs: 0, queues, memory },
    samples: [{ atMs: 59_000, queues, memory }],
    liveTokens: { looks: 100, found: [] },
  };
}
