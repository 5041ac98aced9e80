import { type Configuration, numberSetting, standardSettings, tokenSettings } from '@latchkey/service-defaults';

/** The longest that any content token lives: a retired signing key stays known for so long. */
export const TOKEN_TTL_SECONDS_MAX = 30 * 24 * 3600;

/** What the token issuer is configured with. */
export const tokenIssuerSettings = {
  ...standardSettings(8084),
  keyRing: tokenSettings.keyRing,
  licenseUrl: tokenSettings.licenseUrl,
  tokenIssuer: tokenSettings.tokenIssuer,
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
