import { startPostgresContainer, startRabbitContainer } from '@latchkey/kits/servers';
import { type CpuMeter, cpuOfContainer } from './cpu.js';

/** PostgreSQL and RabbitMQ that sync to disk, as in a deployment: that is a large part of what is measured. */
export interface Servers {
  readonly postgres: CpuMeter;
  readonly broker: CpuMeter;
  remove(): Promise<void>;
}

/** Starts both, and sets the test variables by which the kits find them. */
export async function startServers(): Promise<Servers> {
  // Ours alone, so the reaper has nothing to do; not every machine can pull its image.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const [postgres, rabbit] = await Promise.all([startPostgresContainer({ durable: true }), startRabbitContainer({ durable: true })]);
  Object.assign(process.env, postgres.variables, rabbit.variables);
  return {
    postgres: cpuOfContainer(postgres.containerId!),
    broker: cpuOfContainer(rabbit.containerId!),
    remove: async () => {
      await Promise.all([postgres.stop(), rabbit.stop()]);
    },
  };
}
