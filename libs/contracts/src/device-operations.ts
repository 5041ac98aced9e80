import { license, licenseRequest } from './license-messages.js';
import { defineOperation } from './operation-contract.js';
import { jwks } from './resources.js';

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
