import type { ErrorCode } from '@latchkey/contracts';
import type { LicenseRefusal } from '../../src/license/refusal.js';
import type { JwsChange, RequestChange } from './draft.js';

type Stage = LicenseRefusal['stage'];
type ReasonAt<At extends Stage> = Extract<LicenseRefusal, { stage: At }>['reason'];

/** A licence request that has to be refused, and one that has to be granted and differs from it in one thing. */
export interface HostileCase {
  readonly name: string;
  /** Where it is refused, and for which of the reasons that a device is not told. None: before anybody looks at it. */
  readonly refusal: { readonly stage: Stage; readonly reason: LicenseRefusal['reason'] } | undefined;
  /** What the device is told. */
  readonly answer: ErrorCode;
  readonly hostile: RequestChange;
  /** Right in everything, unless the hostile one needs a stage to be hostile on. */
  readonly twin: RequestChange;
  readonly tokenKind: 'content' | 'registration';
}

/** By name: what is hostile, and with it the twin where that is not simply the right request. */
export type Changes<Change = RequestChange> = Readonly<Record<string, Change | readonly [hostile: Change, twin: Change]>>;

/** The cases of one reason. */
export function refusedFor<At extends Stage>(
  [stage, reason, answer]: readonly [stage: At, reason: ReasonAt<At>, answer: ErrorCode],
  changes: Changes,
  tokenKind: HostileCase['tokenKind'] = 'content',
): HostileCase[] {
  return Object.entries(changes).map(([name, change]) => {
    const [hostile, twin] = isPair(change) ? change : [change, {}];
    return { name, refusal: { stage, reason }, answer, hostile, twin, tokenKind };
  });
}

/** Proofs that are refused for one reason. */
export function proofsRefusedFor(reason: ReasonAt<'proof'>, changes: Changes<JwsChange>): HostileCase[] {
  return refusedFor(['proof', reason, 'invalid-dpop-proof'], each(changes, (proof) => ({ proof })));
}

/** Tokens that are refused for one reason; the proof names them as they were sent, so that nothing else is wrong. */
export function tokensRefusedFor(reason: ReasonAt<'token'>, changes: Changes<JwsChange>, tokenKind?: HostileCase['tokenKind']): HostileCase[] {
  return refusedFor(['token', reason, 'invalid-token'], each(changes, (token) => ({ token })), tokenKind);
}

/** Bodies that are refused for one reason. */
export function bodiesRefusedFor(reason: ReasonAt<'body'>, changes: Changes<string | Uint8Array>, tokenKind?: HostileCase['tokenKind']): HostileCase[] {
  const answer = reason === 'unknown-member' ? 'unknown-member' : 'invalid-request';
  return refusedFor(['body', reason, answer], each(changes, (body) => ({ body })), tokenKind);
}

/** Requests that HTTP alone is enough to refuse. */
export function refusedAtEdge(answer: ErrorCode, changes: Readonly<Record<string, readonly [hostile: RequestChange, twin: RequestChange]>>): HostileCase[] {
  return Object.entries(changes).map(([name, [hostile, twin]]) => ({ name, refusal: undefined, answer, hostile, twin, tokenKind: 'content' }));
}

function each<Change>(changes: Changes<Change>, toRequest: (change: Change) => RequestChange): Changes {
  return Object.fromEntries(
    Object.entries(changes).map(([name, change]) => [name, isPair(change) ? ([toRequest(change[0]), toRequest(change[1])] as const) : toRequest(change)]),
  );
}

function isPair<Change>(change: Change | readonly [Change, Change]): change is readonly [Change, Change] {
  return Array.isArray(change);
}
