import { setTimeout as delay } from 'node:timers/promises';
import { connectRabbit } from '@latchkey/messaging';
import { type Configuration, ConfigurationError, readConfiguration, type Settings } from './configuration.js';
import { createLogger } from './logger.js';
import { Metrics } from './metrics.js';
import { outliveOutput } from './outlive-output.js';
import { type ServiceDefinition, startService } from './service.js';
import type { StandardConfiguration } from './standard-settings.js';

/** How long a clean stop may take before the process ends anyway, in milliseconds. */
const STOP_TIMEOUT_MS = 12_000;

/** How long a stop waits for a start that is not complete, in milliseconds. */
const STARTING_GRACE_MS = 2_000;

/** The whole of a service's `main.ts`: reads the environment, starts, and stops cleanly on SIGTERM and SIGINT. */
export async function runService<Config extends Settings>(definition: ServiceDefinition<Config>): Promise<void> {
  outliveOutput();
  const configuration = configurationOrExit(definition) as Configuration<Config> & StandardConfiguration;
  const { service } = definition.messaging;
  const logger = createLogger(service, configuration.logLevel);
  const metrics = new Metrics();
  const onClockDifference = (aheadSeconds: number): void => metrics.clockDifference.set({ service }, aheadSeconds);
  const broker = connectRabbit({ url: configuration.amqpUrl, clientName: `latchkey-${service}`, logger, onClockDifference });
  const starting = startService(definition, configuration, { broker, logger, metrics, listen: true });
  // Before it has started: as the first process of a container nobody else would end it.
  stopOnSignal(
    (message, error) => logger.error(message, {}, error),
    async () => {
      const started = await Promise.race([starting, delay(STARTING_GRACE_MS, undefined, { ref: false })]);
      // What has not started by then has taken nothing that would have to be drained; it may wait for a server that is away.
      if (!started) return;
      await started.stop();
      await broker.close();
    },
  );
  await starting.catch((error: unknown) => {
    logger.error('did not start', {}, error);
    process.exit(1);
  });
}

/** Stops once, on the first SIGTERM or SIGINT; a second one while draining changes nothing. Ends with exit code 0. */
export function stopOnSignal(report: (message: string, error?: unknown) => void, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) return;
    stopping = true;
    const timer = setTimeout(() => {
      report('stopping took too long');
      process.exit(1);
    }, STOP_TIMEOUT_MS);
    stop().then(
      () => {
        clearTimeout(timer);
        process.exit(0);
      },
      (error: unknown) => {
        report('stopping failed', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function configurationOrExit<Config extends Settings>(definition: ServiceDefinition<Config>): Configuration<Config> {
  try {
    return readConfiguration(definition.settings, process.env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${definition.messaging.service}: ${error.message}\n`);
    process.exit(78);
  }
}
