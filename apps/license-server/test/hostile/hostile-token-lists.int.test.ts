import { expect, it } from '@jest/globals';
import { TOKENS } from './draft.js';
import type { HostileCase } from './hostile-case.js';
import { attack } from './hostile-suite.js';
import { nonceCases } from './nonce-cases.js';
import { oddButRight } from './odd-but-right.js';
import { proofClaimCases } from './proof-claim-cases.js';
import { proofFormCases } from './proof-form-cases.js';
import { proofKeyCases } from './proof-key-cases.js';
import { proofSignatureCases } from './proof-signature-cases.js';
import { bindingAndRightsCases, tokenClaimCases, tokenForgeryCases } from './token-cases.js';
import { transportCases } from './transport-cases.js';

/** The steps that every route of devices has, and refuses alike. */
const sharedStages = new Set<string | undefined>(['transport', 'proof', 'nonce', 'token', 'binding']);
const shared = (cases: readonly HostileCase[]): HostileCase[] => cases.filter(({ refusal }) => sharedStages.has(refusal?.stage));

const families: Readonly<Record<string, readonly HostileCase[]>> = {
  'how credentials are sent': shared(transportCases),
  'the form of a proof': shared(proofFormCases),
  'the key of a proof': shared(proofKeyCases),
  'the signature of a proof': shared(proofSignatureCases),
  'the claims of a proof': shared(proofClaimCases),
  'the nonce of a proof': shared(nonceCases),
  'the form and signature of a token': shared(tokenForgeryCases),
  'the claims of a token': shared(tokenClaimCases),
  'whose a token is': shared(bindingAndRightsCases),
};

attack({ route: TOKENS, families, oddButRight, refusalsMetric: 'latchkey_device_token_lists_refused_total', granted: '"tokens":[]' });

it('the table is as long as it was meant to be', () => {
  expect(Object.values(families).flat().length).toBeGreaterThanOrEqual(130);
});
