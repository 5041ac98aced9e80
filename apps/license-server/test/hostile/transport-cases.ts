import { type HostileCase, refusedFor } from './hostile-case.js';
import type { Header, RequestChange } from './draft.js';

type Headers = readonly Header[];
const changed = (change: (authorization: string, proof: string) => Headers): RequestChange => ({
  headers: ([authorization, proof]) => change(authorization![1], proof![1]),
});
const credentials = (change: (authorization: string) => string): RequestChange =>
  changed((authorization, proof) => [
    ['Authorization', change(authorization)],
    ['DPoP', proof],
  ]);
const proofHeader = (change: (proof: string) => string): RequestChange =>
  changed((authorization, proof) => [
    ['Authorization', authorization],
    ['DPoP', change(proof)],
  ]);

/** The route's path with a query behind it. */
const inQuery = (query: string) => (path: string): string => path + query;

/** How credentials come over HTTP: schemes, white space, and two where there may be one. */
export const transportCases: readonly HostileCase[] = [
  ...refusedFor(['transport', 'no-credentials', 'unauthenticated'], {
    'no credentials at all': { headers: () => [] },
    'a proof and no token': changed((_, proof) => [['DPoP', proof]]),
    'an empty Authorization': credentials(() => ''),
    'an Authorization of white space': credentials(() => ' \t '),
    'a token in the query instead': { ...changed((_, proof) => [['DPoP', proof]]), target: inQuery('?access_token=x') },
    'a token in a header of another name': changed((authorization, proof) => [
      ['X-Authorization', authorization],
      ['DPoP', proof],
    ]),
    'a token for a proxy': changed((authorization, proof) => [
      ['Proxy-Authorization', authorization],
      ['DPoP', proof],
    ]),
  }),
  ...refusedFor(['transport', 'other-scheme', 'unauthenticated'], {
    'scheme Basic': credentials(() => 'Basic eDp5'),
    'a scheme that begins like ours': credentials((value) => value.replace('DPoP', 'DPoPX')),
    'a token without a scheme': credentials(() => 'eyJ'),
  }),
  ...refusedFor(['transport', 'bearer-scheme', 'invalid-token'], {
    'scheme Bearer': credentials((value) => value.replace('DPoP', 'Bearer')),
    'scheme BEARER': [credentials((value) => value.replace('DPoP', 'BEARER')), credentials((value) => value.replace('DPoP', 'DPOP'))],
    'scheme Bearer, with a proof and two spaces': credentials((value) => value.replace('DPoP ', 'bearer  ')),
  }),
  ...refusedFor(['transport', 'credentials-repeated', 'invalid-request'], {
    'the same Authorization twice': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['Authorization', authorization],
      ['DPoP', proof],
    ]),
    'a Bearer before the DPoP': changed((authorization, proof) => [
      ['Authorization', 'Bearer x'],
      ['Authorization', authorization],
      ['DPoP', proof],
    ]),
    'a Basic after the DPoP': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['Authorization', 'Basic eDp5'],
      ['DPoP', proof],
    ]),
    'a second Authorization that is empty': changed((authorization, proof) => [
      ['authorization', authorization],
      ['AUTHORIZATION', ''],
      ['DPoP', proof],
    ]),
    'a token in the query too': [{ target: inQuery('?access_token=x') }, { target: inQuery('?player=x') }],
    'a token in the query too, percent-encoded': [{ target: inQuery('?access%5ftoken=x') }, { target: inQuery('?access%2dtoken=x') }],
    'an access_token without a value in the query': { target: inQuery('?a=1&access_token') },
  }),
  ...refusedFor(['transport', 'credentials-malformed', 'invalid-request'], {
    'two credentials joined by a comma': credentials((value) => `${value}, ${value}`),
    'a Bearer joined before the DPoP': credentials((value) => `Bearer x, ${value}`),
    'a comma at the end': credentials((value) => `${value},`),
    'the scheme without a token': credentials(() => 'DPoP'),
    'a tab after the scheme': [credentials((value) => value.replace(' ', '\t')), credentials((value) => value.replace(' ', '  '))],
    'no space after the scheme': credentials((value) => value.replace(' ', ':')),
    'a token in quotes': credentials((value) => value.replace(/ (.*)/, ' "$1"')),
    'a token as a parameter': credentials((value) => value.replace(' ', ' token=')),
    'a second token after a space': credentials((value) => `${value} x`),
    'a space inside the token': credentials((value) => value.replace('.', ' .')),
    'a byte of Latin-1 at the end': credentials((value) => `${value}\u00e9`),
    'a no-break space after the scheme': credentials((value) => value.replace(' ', ' \u00a0')),
  }),
  ...refusedFor(['transport', 'proof-repeated', 'invalid-request'], {
    'the same proof twice': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['DPoP', proof],
      ['DPoP', proof],
    ]),
    'a garbage proof after the good one': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['DPoP', proof],
      ['dpop', 'x'],
    ]),
    'a garbage proof before the good one': changed((authorization, proof) => [
      ['DPOP', 'x'],
      ['Authorization', authorization],
      ['DPoP', proof],
    ]),
    'an empty proof beside the good one': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['DPoP', proof],
      ['DPoP', ''],
    ]),
    'two proofs joined by a comma': proofHeader((proof) => `${proof}, ${proof}`),
    'a comma after the proof': proofHeader((proof) => `${proof},`),
  }),
  ...refusedFor(['proof', 'missing', 'invalid-dpop-proof'], {
    'no proof': changed((authorization) => [['Authorization', authorization]]),
    'an empty proof': proofHeader(() => ''),
    'a proof of white space': proofHeader(() => ' \t'),
    'a proof in the query instead': { ...changed((authorization) => [['Authorization', authorization]]), target: inQuery('?dpop=x') },
    'a proof in a header of another name': changed((authorization, proof) => [
      ['Authorization', authorization],
      ['X-DPoP', proof],
    ]),
  }),
];
