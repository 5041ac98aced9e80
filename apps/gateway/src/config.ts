import { vocabulary } from '@latchkey/contracts';
import { parseApiKey } from '@latchkey/crypto';
import { type Configuration, numberSetting, publicUrl, setting, standardSettings, tokenSettings } from '@latchkey/service-defaults';
import { z } from 'zod';

/** What the gateway is configured with. */
export const gatewaySettings = {
  ...standardSettings(8080),
  publicUrl,
  licenseUrl: tokenSettings.licenseUrl,
  bootstrapApiKey: setting(
    'LATCHKEY_BOOTSTRAP_API_KEY',
    z
      .string()
      .refine((text) => parseApiKey(text) !== undefined, 'must be an API key, lk_<env>_<keyId>_<secret of 43 characters>')
      .optional(),
    {
      description: 'An API key that exists with all scopes when the gateway starts, so that a new installation has a first one',
      secret: true,
    },
  ),
  bootstrapMerchantId: setting('LATCHKEY_BOOTSTRAP_MERCHANT_ID', vocabulary.merchantId, {
    description: 'The merchant to whom the bootstrap key belongs; it is made where it does not exist',
    fallback: 'default',
  }),
  failedLookupsBurst: numberSetting(
    'LATCHKEY_FAILED_LOOKUPS_BURST',
    { least: 1, most: 1_000_000 },
    {
      description:
        'How many wrong API keys from one address or under one key id, and how many unknown cookies of one merchant, are answered as such at once before more are answered with rate-limited; each replica counts for itself',
      fallback: '60',
    },
  ),
  failedLookupsPerMinute: numberSetting(
    'LATCHKEY_FAILED_LOOKUPS_PER_MINUTE',
    { least: 1, most: 1_000_000 },
    { description: 'How many of these failures a minute are forgiven', fallback: '60' },
  ),
  eventsHeartbeatSeconds: numberSetting(
    'LATCHKEY_EVENTS_HEARTBEAT_SECONDS',
    { least: 1, most: 300 },
    {
      description:
        'How often a quiet stream of GET /v1/events sends a comment, in seconds, so that no proxy takes it for dead; a stream whose API key was revoked ends then too',
      fallback: '15',
    },
  ),
  feedRetentionDays: numberSetting(
    'LATCHKEY_FEED_RETENTION_DAYS',
    { least: 1, most: 3650 },
    {
      description: 'How long events can be replayed from GET /v1/events, in days: a receiver that was away longer asks for the purchases themselves',
      fallback: '7',
    },
  ),
};

/** The parsed configuration of the gateway. */
export type GatewayConfiguration = Configuration<typeof gatewaySettings>;
