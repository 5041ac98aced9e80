import { type ApiKey, parseApiKey } from './api-key.js';

const AUTHENTICATOR = /^([A-Za-z0-9]{4,32}),((?:[0-9a-f]{2}){43})$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * An API key as ExpressPlay's `customerAuthenticator` is written, `<keyId>,<hex>`: the hex is that of the secret's
 * characters. The `env` is left out, and is found with the key.
 *
 * @throws RangeError if it is no API key.
 */
export function authenticatorOf(fullKey: string): string {
  const key = parseApiKey(fullKey);
  if (!key) throw new RangeError('not an API key');
  return `${key.keyId},${Buffer.from(key.secret, 'ascii').toString('hex')}`;
}

/** Takes an authenticator apart; `undefined` if it has not the form. Only the form is looked at. */
export function parseAuthenticator(text: string): Omit<ApiKey, 'env'> | undefined {
  const [, keyId, hex] = AUTHENTICATOR.exec(text) ?? [];
  if (keyId === undefined || hex === undefined) return undefined;
  const secret = Buffer.from(hex, 'hex').toString('latin1');
  return SECRET.test(secret) ? { keyId, secret } : undefined;
}
