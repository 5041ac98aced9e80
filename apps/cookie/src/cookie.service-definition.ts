import { outboxMigrations } from '@latchkey/outbox';
import type { ServiceDefinition } from '@latchkey/service-defaults';
import { AppModule } from './app.module.js';
import { cookieSettings } from './config.js';
import { CreateCookies1763881200000 } from './migrations/1763881200000-create-cookies.js';
import { messaging } from './subscriptions.js';

/** The cookie service, apart from where it runs. */
export const cookieService: ServiceDefinition<typeof cookieSettings> = {
  messaging,
  settings: cookieSettings,
  module: AppModule,
  migrations: [...outboxMigrations, CreateCookies1763881200000],
  bodies: 'json',
  worksWithoutBroker: false,
};
