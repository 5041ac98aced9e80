import { parseKeyRing } from '@latchkey/crypto';
import { type Configuration, httpUrl, numberSetting, setting, standardSettings } from '@latchkey/service-defaults';
import { z } from 'zod';

/** The longest that any content token lives: a retired signing key stays known for so long. */
export const TOKEN_TTL_SECONDS_MAX = 30 * 24 * 3600;

/** The key ring: read here and in the re-wrap command. */
export const kek = setting(
  'LATCHKEY_KEK',
  z.string().transform((text, context) => {
    const parsed = parseKeyRing(text);
    if (parsed.ok) return parsed.ring;
    for (const message of parsed.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  { description: 'The keys that wrap content keys and signing keys, as id:base64 pairs of 32 bytes separated by commas; the first one wraps', secret: true },
);

export const tokenIssuerSettings = {
  ...standardSettings(8084),
  keyRing: kek,
  licenseUrl: setting('LATCHKEY_LICENSE_URL', httpUrl.regex(/^[\x21-\x7e]{1,512}$/, 'must be at most 512 visible ASCII characters'), {
    description: 'The public URL of /v1/licenses: where devices take tokens, and the audience of every token, byte for byte',
  }),
  tokenIssuer: setting('LATCHKEY_TOKEN_ISSUER', z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters'), {
    description: 'The issuer that tokens name; the licence servers must expect the same one',
    fallback: 'latchkey',
  }),
  contentTokenTtlSeconds: numberSetting('LATCHKEY_CONTENT_TOKEN_TTL_SECONDS', { least: 1, most: TOKEN_TTL_SECONDS_MAX }, {
    description: 'How long a content token lives unless its request says otherwise, in seconds',
    fallback: '86400',
  }),
  registrationTokenTtlSeconds: numberSetting('LATCHKEY_REGISTRATION_TOKEN_TTL_SECONDS', { least: 1, most: 600 }, {
    description: 'How long a registration token lives at most, in seconds; never past its cookie',
    fallback: '600',
  }),
  unknownAttempts: numberSetting('LATCHKEY_UNKNOWN_ATTEMPTS', { least: 1, most: 19 }, {
    description: 'At which attempt a purchase event with an unknown cookie or kid is rejected; by default after waiting 5 and 30 seconds',
    fallback: '3',
  }),
  signingKeyAgeSecondsMax: numberSetting('LATCHKEY_SIGNING_KEY_AGE_SECONDS_MAX', { least: 1, most: 315_360_000 }, {
    description: 'How long a signing key signs before a new one takes over, in seconds; 90 days by default',
    fallback: '7776000',
  }),
};

export type TokenIssuerConfiguration = Configuration<typeof tokenIssuerSettings>;
