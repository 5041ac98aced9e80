import { vocabulary } from '@latchkey/contracts';
import { amqpUrl, type Configuration, databaseUrl, host, logLevel, numberSetting, port, setting } from '@latchkey/service-defaults';
import { z } from 'zod';

/** What standalone itself is configured with. Every setting of a service may be given too, and reaches that service. */
export const standaloneSettings = {
  dataDir: setting('LATCHKEY_DATA_DIR', z.string().min(1), {
    description: 'The folder of everything that standalone keeps: the embedded PostgreSQL, its secrets, its log',
    fallback: '.latchkey',
  }),
  host,
  port: port(8080),
  logLevel,
  bootstrapMerchantId: setting('LATCHKEY_BOOTSTRAP_MERCHANT_ID', vocabulary.merchantId, {
    description: 'The merchant that exists from the first start',
    fallback: 'default',
  }),
  amqpUrl: setting('AMQP_URL', amqpUrl.schema.optional(), {
    description: 'RabbitMQ; without it the services talk over a bus inside the process',
    secret: true,
  }),
  demo: setting('LATCHKEY_DEMO', z.enum(['on', 'off']).optional(), {
    description:
      'Whether the demo shop is served at /demo: on or off. Without it, on where LATCHKEY_HOST, and the public URLs where they are given, are loopback addresses and off elsewhere: whoever reaches the page can buy, and revoke what is bought, in the name of the first merchant',
  }),
  demoRentalSeconds: numberSetting('LATCHKEY_DEMO_RENTAL_SECONDS', { least: 5, most: 86_400 }, {
    description: 'How long a rental of the demo shop plays from its first licence, in seconds; short, so that one can see it end',
    fallback: '60',
  }),
  databaseUrl: setting('DATABASE_URL', databaseUrl.schema.optional(), {
    description: 'A PostgreSQL server whose user may create databases; without it standalone runs its own',
    secret: true,
  }),
};

/** The configuration of standalone. */
export type StandaloneConfiguration = Configuration<typeof standaloneSettings>;
