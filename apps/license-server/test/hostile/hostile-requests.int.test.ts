import { expect, it } from '@jest/globals';
import { bodyCases } from './body-cases.js';
import { LICENSES } from './draft.js';
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

const families: Readonly<Record<string, readonly HostileCase[]>> = {
  'how credentials are sent': transportCases,
  'the form of a proof': proofFormCases,
  'the key of a proof': proofKeyCases,
  'the signature of a proof': proofSignatureCases,
  'the claims of a proof': proofClaimCases,
  'the nonce of a proof': nonceCases,
  'the form and signature of a token': tokenForgeryCases,
  'the claims of a token': tokenClaimCases,
  'whose a token is, and for what': bindingAndRightsCases,
  'the body': bodyCases,
};

attack({ route: LICENSES, families, oddButRight, refusalsMetric: 'latchkey_licenses_denied_total', granted: '"k":' });

it('the table is as long as it was meant to be, and no case is there twice', () => {
  const names = Object.entries(families).flatMap(([family, cases]) => cases.map(({ name }) => `${family}: ${name}`));
  expect(names.length).toBeGreaterThanOrEqual(130);
  expect(new Set(names).size).toBe(names.length);
});
