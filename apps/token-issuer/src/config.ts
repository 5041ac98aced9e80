import { type Configuration, numberSetting, setting, standardSettings, tokenSettings } from '@latchkey/service-defaults';
import { z } from 'zod';
import { readConfidencePolicy } from './confidence-policy.js';
import { readTokenProviders } from './upstream/token-providers.js';

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
  refusedConfidences: setting(
    'LATCHKEY_REFUSED_CONFIDENCES',
    z.string().transform((text, context) => {
      const policy = readConfidencePolicy(text);
      if (!policy) context.addIssue({ code: 'custom', message: 'must be pairs of merchant and confidence (proof, hardware, software, unknown), merchant:confidence, separated by commas' });
      return policy ?? new Map();
    }),
    {
      description:
        'Devices to whom merchants sell nothing, by how sure it is that their id is theirs, as merchant:confidence pairs separated by commas: `acme:unknown,acme:software`. A token that is out is renewed all the same',
      fallback: '',
    },
  ),
  tokenProviders: setting(
    'LATCHKEY_TOKEN_PROVIDERS',
    z.string().transform((text, context) => {
      const read = readTokenProviders(text);
      if (read.ok) return read.providers;
      for (const message of read.problems) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
    {
      description:
        'Merchants whose tokens come from an account of theirs at a licence service with ExpressPlay’s interface, as a JSON array with an entry for each: `merchantId`, `kind` (`expressplay`), `drm` (`pr`, `wv` or `fp`), `customerAuthenticator`, `url` (or `tokenUrl` and `recordUrl`), and optionally `timeoutMs` (2000), `securityLevel` (1) and `hdcpOutputControl` (0) for wv; `iv` for fp. Tokens of all others are signed here',
      fallback: '',
      secret: true,
    },
  ),
  signingKeyAgeSecondsMax: numberSetting('LATCHKEY_SIGNING_KEY_AGE_SECONDS_MAX', { least: 1, most: 315_360_000 }, {
    description: 'How long a signing key signs before a new one takes over, in seconds; 90 days by default',
    fallback: '7776000',
  }),
};

export type TokenIssuerConfiguration = Configuration<typeof tokenIssuerSettings>;
