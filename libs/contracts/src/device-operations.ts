import { license, licenseRequest } from './license-messages.js';
import { defineOperation } from './operation-contract.js';
import { deviceTokensView, jwks } from './resources.js';

/** `POST /v1/licenses`. */
export const createLicense = defineOperation({
  id: 'createLicense',
  server: 'license-server',
  method: 'POST',
  path: '/v1/licenses',
  summary: 'A device asks for a licence with its token and a DPoP proof of its key',
  security: { kind: 'dpop' },
  body: licenseRequest,
  bodyOptional: true,
  answers: { 200: { description: 'A Clear Key licence', schema: license } },
  refusals: [
    'unauthenticated',
    'invalid-dpop-proof',
    'use-dpop-nonce',
    'invalid-token',
    'device-revoked',
    'kid-not-in-token',
    'rental-expired',
    'rental-not-started',
    'cookie-bound-elsewhere',
    'unavailable',
  ],
});

/**
 * `GET /v1/device/tokens`. With a registration token the device has to be the one that is bound to its cookie, if there is
 * one; with a content token, the one that the token names.
 */
export const showDeviceTokens = defineOperation({
  id: 'showDeviceTokens',
  server: 'license-server',
  method: 'GET',
  path: '/v1/device/tokens',
  summary: 'A device collects its live content tokens with any of its tokens and a DPoP proof of its key',
  security: { kind: 'dpop' },
  answers: { 200: { description: 'The live tokens of the device at the merchant of the token that it came with', schema: deviceTokensView } },
  refusals: ['unauthenticated', 'invalid-dpop-proof', 'use-dpop-nonce', 'invalid-token', 'device-revoked', 'cookie-bound-elsewhere', 'unavailable'],
});

/**
 * The public URL of `GET /v1/device/tokens`, which a proof for it names as `htu` byte for byte: the licence URL with its
 * last `/licenses` replaced by `/device/tokens`, or with that at its end where it ends otherwise. Text goes in and text
 * comes out: nothing is parsed or normalised, so that devices and servers cannot read one URL differently.
 */
export function deviceTokensUrlOf(licenseUrl: string): string {
  return `${licenseUrl.replace(/([^/])\/licenses$/, '$1')}/device/tokens`;
}

/** `GET /.well-known/jwks.json`. */
export const showJwks = defineOperation({
  id: 'showJwks',
  server: 'both',
  method: 'GET',
  path: '/.well-known/jwks.json',
  summary: 'The keys with which tokens are verified',
  security: { kind: 'none' },
  answers: { 200: { description: 'A JSON Web Key Set', schema: jwks } },
  refusals: [],
});
