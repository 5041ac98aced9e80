import { vocabulary } from '@latchkey/contracts';
import { amqpUrl, type Configuration, databaseUrl, host, logLevel, port, setting } from '@latchkey/service-defaults';
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
  databaseUrl: setting('DATABASE_URL', databaseUrl.schema.optional(), {
    description: 'A PostgreSQL server whose user may create databases; without it standalone runs its own',
    secret: true,
  }),
};

/** The configuration of standalone. */
export type StandaloneConfiguration = Configuration<typeof standaloneSettings>;
