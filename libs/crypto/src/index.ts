export { unwrapAesKey, wrapAesKey } from './aes-key-wrap.js';
export { apiKeyMatches, generateApiKey, hashApiKeySecret, parseApiKey, type ApiKey } from './api-key.js';
export { authenticatorOf, parseAuthenticator } from './authenticator.js';
export { decodeBase64url, encodeBase64url } from './base64url.js';
export { constantTimeEqual } from './constant-time-equal.js';
export { createProof, generateDeviceKey, type DeviceKey, type ProofRequest } from './dpop-client.js';
export {
  checkProofForm,
  PROOF_BYTES_MAX,
  type DpopProof,
  type ProofClaims,
  type ProofForm,
  type ProofFormRefusal,
  type ProofRefusal,
} from './dpop-proof.js';
export {
  accessTokenHash,
  checkProofClaims,
  type CheckedProofClaims,
  type ExpectedProofClaims,
  type ProofClaimRefusal,
} from './dpop-proof-claims.js';
export {
  importEcPublicJwk,
  publicKeyOf,
  readEcPublicJwk,
  thumbprint,
  type EcPublicJwk,
  type ImportedEcPublicJwk,
} from './ec-public-jwk.js';
export { ES256_SIGNATURE_BYTES, signEs256, verifyEs256 } from './es256.js';
export { parseCompactJws, signCompactJws, type CompactJws, type JwsRefusal, type ParsedJws } from './jws.js';
export {
  CONTENT_KEY_BYTES,
  generateKeyEncryptionKey,
  kekIdOf,
  KeyRing,
  parseKeyRing,
  type ContentKeyOwner,
  type ParsedKeyRing,
} from './key-ring.js';
export {
  checkTokenParties,
  checkTokenTimes,
  readToken,
  signToken,
  TOKEN_BYTES_MAX,
  TOKEN_CLOCK_TOLERANCE_SECONDS,
  type LatchkeyToken,
  type ReadToken,
  type TokenParties,
  type TokenPartiesCheck,
  type TokenRefusal,
  type TokenSigner,
  type TokenTimes,
} from './latchkey-token.js';
export { fingerprintOfKek, kidOfName } from './named-kid.js';
export { newContentKey } from './content-key.js';
export { createNonces, type NonceOptions, type Nonces } from './nonce.js';
export { newCookie, newId } from './random-id.js';
export { exportSigningKey, generateSigningKey, importSigningKey, type SigningKey } from './signing-key.js';
export {
  parseStrictJson,
  type JsonObject,
  type StrictJson,
  type StrictJsonOptions,
  type StrictJsonRefusal,
} from './strict-json.js';
export {
  isThumbprint,
  type ClaimRefusal,
  type Confirmation,
  type ContentClaims,
  type RegistrationClaims,
  type TokenKind,
  type TokenRights,
} from './token-claims.js';
export { newWebhookSecret } from './webhook-secret.js';
