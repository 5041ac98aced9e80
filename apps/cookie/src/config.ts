import { operations } from '@latchkey/contracts';
import { type Configuration, numberSetting, standardSettings } from '@latchkey/service-defaults';

/** What the cookie service is configured with. */
export const cookieSettings = {
  ...standardSettings(8082),
  ttlSeconds: numberSetting(
    'LATCHKEY_COOKIE_TTL_SECONDS',
    { least: 1, most: operations.LIFETIME_SECONDS_MAX },
    {
      description:
        'How long a cookie waits for its device where the merchant does not say, in seconds: ' +
        'an hour is enough to open a player, and little for whoever finds a cookie in a log',
      fallback: '3600',
    },
  ),
  retentionDays: numberSetting(
    'LATCHKEY_COOKIE_RETENTION_DAYS',
    { least: 30, most: 3650 },
    {
      description:
        'How long a cookie that expired without a device is kept, in days: ' +
        'so long a late purchase is told that its cookie expired, afterwards that it is unknown',
      fallback: '180',
    },
  ),
};

/** The parsed configuration of the cookie service. */
export type CookieConfiguration = Configuration<typeof cookieSettings>;
