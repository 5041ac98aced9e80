import { outboxMigrations } from '@latchkey/outbox';
import { serveApiDocuments, type ServiceDefinition } from '@latchkey/service-defaults';
import { AppModule } from './app.module.js';
import { licenseServerSettings } from './config.js';
import { equipDeviceEdge } from './edge/device-edge.js';
import { CreateLicenseTables1700000300000 } from './migrations/1700000300000-create-license-tables.js';
import { CreateRetiredSigningKeys1700000400000 } from './migrations/1700000400000-create-retired-signing-keys.js';
import { IndexRentalClocks1700000500000 } from './migrations/1700000500000-index-rental-clocks.js';
import { messaging } from './subscriptions.js';

/** The licence server, for its own `main.ts`, for standalone and for the generated documents. */
export const licenseServerService: ServiceDefinition<typeof licenseServerSettings> = {
  messaging,
  settings: licenseServerSettings,
  module: AppModule,
  migrations: [...outboxMigrations, CreateLicenseTables1700000300000, CreateRetiredSigningKeys1700000400000, IndexRentalClocks1700000500000],
  bodies: 'raw',
  worksWithoutBroker: true,
  equip: async (app) => {
    await equipDeviceEdge(app);
    await serveApiDocuments(app);
  },
};
