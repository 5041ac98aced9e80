import { outboxMigrations } from '@latchkey/outbox';
import type { ServiceDefinition } from '@latchkey/service-defaults';
import { AppModule } from './app.module.js';
import { deviceRegistrySettings } from './config.js';
import { CreateDevices1763881200000 } from './migrations/1763881200000-create-devices.js';
import { AddConfidence1763881300000 } from './migrations/1763881300000-add-confidence.js';
import { IndexRegistrations1763881400000 } from './migrations/1763881400000-index-registrations.js';
import { messaging } from './subscriptions.js';

/** The device registry, apart from where it runs. */
export const deviceRegistryService: ServiceDefinition<typeof deviceRegistrySettings> = {
  messaging,
  settings: deviceRegistrySettings,
  module: AppModule,
  migrations: [...outboxMigrations, CreateDevices1763881200000, AddConfidence1763881300000, IndexRegistrations1763881400000],
  bodies: 'json',
  worksWithoutBroker: false,
};
