import type { FinalState } from '../final-state.js';
import type { Entry } from '../history.js';
import { checkBoundDeviceOnly } from './bound-device-only.js';
import { checkBounded } from './bounded.js';
import { checkConsumersBack } from './consumers-back.js';
import { checkDrained } from './drained.js';
import { checkEveryPurchaseEnds } from './every-purchase-ends.js';
import { checkNoTokenUnasked } from './no-token-unasked.js';
import { checkOneLicencePerProof } from './one-licence-per-proof.js';
import { checkOneLiveToken } from './one-live-token.js';
import { checkReadModels } from './read-models.js';
import { checkWebhooksDelivered } from './webhooks-delivered.js';
import type { Verdict } from './verdict.js';

/** Judges a run: a verdict for each invariant, in the order of their numbers. */
export function judge(history: readonly Entry[], final: FinalState): readonly Verdict[] {
  return [
    checkEveryPurchaseEnds(history, final),
    checkOneLiveToken(history, final),
    checkNoTokenUnasked(history, final),
    checkReadModels(history, final),
    checkDrained(final),
    checkBounded(history, final),
    checkConsumersBack(final),
    checkBoundDeviceOnly(history, final),
    checkOneLicencePerProof(history),
    checkWebhooksDelivered(history, final),
  ];
}
