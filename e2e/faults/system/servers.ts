import { RabbitManagement } from '@latchkey/kits';
import { Client } from 'pg';
import { ServerContainer } from './server-container.js';

/** The ports of the servers inside their containers. */
export const PORTS = { amqp: 5672, management: 15672, postgres: 5432 } as const;

/** A server, and who may do anything to it. */
export interface Administered {
  readonly server: ServerContainer;
  readonly username: string;
  readonly password: string;
}

/** PostgreSQL 17. Without fsync, for it is its process that is killed here and never the machine under it. */
export async function startDatabaseServer(): Promise<Administered> {
  const [username, password] = ['postgres', crypto.randomUUID()];
  const settings = ['fsync=off', 'max_connections=300', 'shared_buffers=64MB', 'max_wal_size=64MB', 'min_wal_size=32MB'];
  const server = await ServerContainer.start({
    image: 'postgres:17',
    command: ['postgres', ...settings.flatMap((setting) => ['-c', setting])],
    environment: { POSTGRES_PASSWORD: password },
    ports: [PORTS.postgres],
    dataDirectory: '/var/lib/postgresql/data',
    dataMegabytes: 640,
    // The server that only sets the data up listens nowhere, so whoever answers is the real one.
    answers: async (self) => {
      const client = new Client({ host: self.host, port: self.port(PORTS.postgres), user: username, password, connectionTimeoutMillis: 2_000 });
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
    },
  });
  return { server, username, password };
}

/**
 * RabbitMQ 4 with its management API. Its figures are of interest after one second, and a consumer that hangs is given up
 * after twenty, not after half an hour. It takes messages of 20 MB, so that it is the services that have to refuse them.
 */
export async function startBrokerServer(): Promise<Administered> {
  const [username, password] = ['latchkey-faults', crypto.randomUUID()];
  const settings = ['collect_statistics_interval = 1000', 'consumer_timeout = 20000', 'max_message_size = 134217728', 'disk_free_limit.absolute = 20MB'];
  const server = await ServerContainer.start({
    image: 'rabbitmq:4-management',
    environment: { RABBITMQ_DEFAULT_USER: username, RABBITMQ_DEFAULT_PASS: password },
    ports: [PORTS.amqp, PORTS.management],
    dataDirectory: '/var/lib/rabbitmq',
    dataMegabytes: 1024,
    files: [
      { content: `${settings.join('\n')}\n`, target: '/etc/rabbitmq/conf.d/90-faults.conf' },
      // How often consumers are looked at for their timeout; it has no name in the new format.
      { content: '[{rabbit, [{channel_tick_interval, 2000}]}].\n', target: '/etc/rabbitmq/advanced.config' },
    ],
    answers: (self) => {
      const origin = `http://${self.host}:${self.port(PORTS.management)}`;
      return new RabbitManagement(origin, `amqp://${username}:${password}@nowhere`, '/').request('GET', '/api/health/checks/local-alarms');
    },
  });
  return { server, username, password };
}
