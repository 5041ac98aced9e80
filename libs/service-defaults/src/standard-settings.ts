import { vocabulary } from '@latchkey/contracts';
import { z } from 'zod';
import { setting } from './configuration.js';

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must lie between ${least} and ${most}`);

/** A setting that is a whole number within limits. */
export function numberSetting(variable: string, limits: { readonly least: number; readonly most: number }, about: { readonly description: string; readonly fallback: string }) {
  return setting(variable, wholeNumber(limits.least, limits.most), about);
}

/** An absolute http or https URL, kept exactly as written: `htu` is compared with it byte for byte. */
export const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^\s#?]+$/.test(text) && URL.canParse(text), 'must be an absolute http or https URL without query or fragment');

/**
 * Whether it is a URL of this form that clients can take apart: a percent sign that escapes nothing in a password would
 * otherwise end the process when it connects, with a stack in place of the name of the setting.
 */
function isConnectionUrl(text: string, form: RegExp): boolean {
  if (!form.test(text) || !URL.canParse(text)) return false;
  try {
    const { username, password, pathname } = new URL(text);
    [username, password, pathname].forEach(decodeURIComponent);
    return true;
  } catch {
    return false;
  }
}

/** The database of a service. */
export const databaseUrl = setting('DATABASE_URL', z.string().refine((text) => isConnectionUrl(text, /^postgres(?:ql)?:\/\/\S+$/), 'must be a postgres:// URL'), {
  description: 'The PostgreSQL database of this service alone, as postgres://user:password@host:port/database',
  secret: true,
});

/** Taken for one address, a list would fail at every attempt for ever, and the log would not say why. */
function namesOneHost(text: string): boolean {
  if (/,\s*amqps?:\/\//.test(text)) return false;
  return !URL.canParse(text) || !new URL(text).hostname.includes(',');
}

/** The broker of a service. */
export const amqpUrl = setting(
  'AMQP_URL',
  z
    .string()
    .refine(namesOneHost, 'must be one address: a list is not supported yet; name a proxy in front of the nodes')
    .refine((text) => !namesOneHost(text) || isConnectionUrl(text, /^amqps?:\/\/\S+$/), 'must be an amqp:// or amqps:// URL'),
  { description: 'RabbitMQ, as amqp://user:password@host:port/vhost; one address', secret: true },
);

/** Where merchants reach the gateway. */
export const publicUrl = setting('LATCHKEY_PUBLIC_URL', httpUrl, {
  description: 'The public origin of the gateway, as the API documents name it',
  fallback: 'http://127.0.0.1:8080',
});

/** The address to listen on. */
export const host = setting('LATCHKEY_HOST', z.string().min(1), {
  description: 'The address on which HTTP is served; 0.0.0.0 for every interface',
  fallback: '127.0.0.1',
});

/** The port to listen on. */
export function port(fallback: number) {
  return numberSetting('LATCHKEY_PORT', { least: 0, most: 65_535 }, {
    description: 'The port on which HTTP is served; 0 for any free one',
    fallback: String(fallback),
  });
}

/** How much is logged. */
export const logLevel = setting('LATCHKEY_LOG_LEVEL', z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
  description: 'The least severe level that is logged',
  fallback: 'info',
});

const userOfMerchant = /^\s*([^\s:,]{1,128}):(\S+)\s*$/;

/** Broker users of checkouts that do not follow the naming convention. */
export const checkoutUsers = setting(
  'LATCHKEY_CHECKOUT_USERS',
  z.string().transform((text, context) => {
    const users = new Map<string, string>();
    for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
      const match = userOfMerchant.exec(pair);
      if (!match || !vocabulary.merchantId.safeParse(match[2]).success) {
        context.addIssue({ code: 'custom', message: 'must be pairs of broker user and merchant, user:merchant, separated by commas' });
      } else if (users.has(match[1]!)) {
        // A checkout belongs to one merchant; the last of two would silently be it.
        context.addIssue({ code: 'custom', message: 'must name a broker user once' });
      } else users.set(match[1]!, match[2]!);
    }
    return users;
  }),
  { description: 'Broker users of checkouts beside checkout-<merchantId>, as user:merchant pairs separated by commas', fallback: '' },
);

/** What every service is configured with. */
export function standardSettings(defaultPort: number) {
  return { databaseUrl, amqpUrl, host, port: port(defaultPort), logLevel, checkoutUsers };
}

/** The configuration that every service has. */
export interface StandardConfiguration {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly checkoutUsers: ReadonlyMap<string, string>;
}
