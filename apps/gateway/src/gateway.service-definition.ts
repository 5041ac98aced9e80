import { outboxMigrations } from '@latchkey/outbox';
import { serveApiDocuments, type ServiceDefinition } from '@latchkey/service-defaults';
import { placeGate } from './api-keys/api-key-gate.js';
import { AppModule } from './app.module.js';
import { gatewaySettings } from './config.js';
import { expressPlayErrors } from './expressplay/error-form.js';
import { placeExpressPlay } from './expressplay/place-expressplay.js';
import { CreateMerchantsKeysAndFeed1763881600000 } from './migrations/1763881600000-create-merchants-keys-and-feed.js';
import { CreateWebhooks1763881700000 } from './migrations/1763881700000-create-webhooks.js';
import { messaging } from './subscriptions.js';

/** The gateway, apart from where it runs. */
export const gatewayService: ServiceDefinition<typeof gatewaySettings> = {
  messaging,
  settings: gatewaySettings,
  module: AppModule,
  migrations: [...outboxMigrations, CreateMerchantsKeysAndFeed1763881600000, CreateWebhooks1763881700000],
  bodies: 'json',
  worksWithoutBroker: false,
  errorForms: [expressPlayErrors],
  equip: async (app) => {
    await placeGate(app);
    placeExpressPlay(app);
    await serveApiDocuments(app);
  },
};
