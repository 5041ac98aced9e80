import { type ExpressPlayDrm, expressPlayDrms, vocabulary } from '@latchkey/contracts';
import { parseApiKey, parseKeyRing } from '@latchkey/crypto';
import { type Configuration, numberSetting, publicUrl, setting, standardSettings, tokenSettings } from '@latchkey/service-defaults';
import { z } from 'zod';
import { reaches } from './webhooks/address-rules.js';

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
  expressPlayBinding: setting(
    'LATCHKEY_EXPRESSPLAY_BINDING',
    z.string().transform((text, context): readonly ExpressPlayDrm[] => {
      const named = text.split(',').map((drm) => drm.trim());
      const drms = expressPlayDrms.filter((drm) => named.includes(drm)).sort((one, other) => named.indexOf(one) - named.indexOf(other));
      if (text === 'none' || drms.length === named.length) return drms;
      context.addIssue({ code: 'custom', message: 'must be some of pr, wv and fp, each once, separated by commas, or none' });
      return z.NEVER;
    }),
    {
      description:
        'The DRMs whose tokens the ExpressPlay-shaped endpoints bind to a device id, pr, wv and fp separated by commas, or none; the entitlement server answers with tokens for the first. See docs/expressplay.md',
      fallback: 'pr',
    },
  ),
  webhookKeyRing: setting(
    'LATCHKEY_WEBHOOK_KEY',
    z
      .string()
      .transform((text, context) => {
        const parsed = parseKeyRing(text);
        if (parsed.ok) return parsed.ring;
        for (const message of parsed.problems) context.addIssue({ code: 'custom', message });
        return z.NEVER;
      })
      .optional(),
    {
      description:
        'The keys that wrap the secrets of webhooks, as id:base64 pairs of 32 bytes separated by commas; the first one wraps. Without it no webhook can be made, for its secret would lie readable in the database. None of LATCHKEY_KEK’s keys: the gateway must not be able to open content keys',
      secret: true,
    },
  ),
  webhookReach: setting('LATCHKEY_WEBHOOK_ALLOW_PRIVATE', z.enum(reaches), {
    description:
      'Whether webhooks may go to addresses that are not public, and to those by http: no, loopback, or yes for private networks too. Link-local addresses and those where clouds keep their metadata are refused whatever it says. Standalone that listens on a loopback address allows loopback unless told otherwise',
    fallback: 'no',
  }),
  webhookTimeoutSeconds: numberSetting(
    'LATCHKEY_WEBHOOK_TIMEOUT_SECONDS',
    { least: 1, most: 30 },
    { description: 'How long one attempt to deliver to a webhook may take in all, in seconds', fallback: '10' },
  ),
  webhookRetentionDays: numberSetting(
    'LATCHKEY_WEBHOOK_RETENTION_DAYS',
    { least: 1, most: 365 },
    { description: 'How long a delivery that was taken or given up can be seen and sent again, in days', fallback: '7' },
  ),
};

/** The parsed configuration of the gateway. */
export type GatewayConfiguration = Configuration<typeof gatewaySettings>;
