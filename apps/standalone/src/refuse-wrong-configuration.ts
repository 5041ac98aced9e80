import { generateKeyEncryptionKey } from '@latchkey/crypto';
import { ConfigurationError, readConfiguration, type Settings } from '@latchkey/service-defaults';
import { standaloneSettings } from './config.js';
import { services } from './services.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Throws a `ConfigurationError` with every problem of standalone's own settings and of all its services' at once, before
 * anything is made. What standalone provides by itself is put in for the services, unless the environment names it.
 */
export function refuseWrongConfiguration(environment: Environment): void {
  const provided: Environment = {
    LATCHKEY_KEK: generateKeyEncryptionKey(),
    LATCHKEY_LICENSE_URL: 'http://127.0.0.1:8080/v1/licenses',
    ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')),
    DATABASE_URL: 'postgres://checked/later',
  };
  const problems = new Set(problemsOf(standaloneSettings, environment));
  for (const { settings } of services) {
    const { amqpUrl, ...own } = settings;
    for (const problem of problemsOf(own, provided)) problems.add(problem);
  }
  if (problems.size > 0) throw new ConfigurationError([...problems]);
}

function problemsOf(settings: Settings, environment: Environment): readonly string[] {
  try {
    readConfiguration(settings, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}
