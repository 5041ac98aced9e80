import { createHash, randomBytes } from 'node:crypto';
import { constantTimeEqual } from './constant-time-equal.js';

/** The parts of `lk_<env>_<keyId>_<secret>`. */
export interface ApiKey {
  readonly env: string;
  /** Public: names the key in lists, logs and the database's index. */
  readonly keyId: string;
  readonly secret: string;
}

const API_KEY = /^lk_([a-z]+)_([A-Za-z0-9]{4,32})_([A-Za-z0-9_-]{43})$/;
const SECRET_BYTES = 32;
const KEY_ID_BYTES = 8;

/**
 * Makes an API key with a secret of 256 random bits, and an id of 16 hex digits unless one is given.
 *
 * @throws RangeError if `env` is not lower-case letters or `keyId` not 4 to 32 letters and digits.
 */
export function generateApiKey(env: string, keyId = randomBytes(KEY_ID_BYTES).toString('hex')): string {
  const fullKey = `lk_${env}_${keyId}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  if (parseApiKey(fullKey)?.keyId !== keyId) throw new RangeError('not the env or key id of an API key');
  return fullKey;
}

/** Takes an API key apart; `undefined` if it has not the form. Only the form is looked at. */
export function parseApiKey(text: string): ApiKey | undefined {
  const [, env, keyId, secret] = API_KEY.exec(text) ?? [];
  return env !== undefined && keyId !== undefined && secret !== undefined ? { env, keyId, secret } : undefined;
}

/**
 * SHA-256 of the whole key: what is stored. A slow password hash would buy nothing, because nobody can try 2^256
 * secrets however fast one trial is, and it would cost every request tens of milliseconds.
 */
export function hashApiKeySecret(fullKey: string): Buffer {
  return createHash('sha256').update(fullKey, 'utf8').digest();
}

/** Compares a presented key with a stored hash in constant time. */
export function apiKeyMatches(fullKey: string, hash: Uint8Array): boolean {
  return constantTimeEqual(hashApiKeySecret(fullKey), hash);
}
