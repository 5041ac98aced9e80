import { outboxMigrations } from '@latchkey/outbox';
import type { ServiceDefinition } from '@latchkey/service-defaults';
import { AppModule } from './app.module.js';
import { tokenIssuerSettings } from './config.js';
import { CreateTokenIssuer1700000001000 } from './migrations/1700000001000-create-token-issuer.js';
import { IndexEndedTokens1700000002000 } from './migrations/1700000002000-index-ended-tokens.js';
import { AddConfidence1700000003000 } from './migrations/1700000003000-add-confidence.js';
import { CreateStoredKeys1700000004000 } from './migrations/1700000004000-create-stored-keys.js';
import { CreateCorrelatedTokens1700000005000 } from './migrations/1700000005000-create-correlated-tokens.js';
import { AddUpstream1700000006000 } from './migrations/1700000006000-add-upstream.js';
import { OrderTokens1700000007000 } from './migrations/1700000007000-order-tokens.js';
import { messaging } from './subscriptions.js';

export const tokenIssuerService: ServiceDefinition<typeof tokenIssuerSettings> = {
  messaging,
  settings: tokenIssuerSettings,
  module: AppModule,
  migrations: [
    ...outboxMigrations,
    CreateTokenIssuer1700000001000,
    IndexEndedTokens1700000002000,
    AddConfidence1700000003000,
    CreateStoredKeys1700000004000,
    CreateCorrelatedTokens1700000005000,
    AddUpstream1700000006000,
    OrderTokens1700000007000,
  ],
  bodies: 'json',
  worksWithoutBroker: false,
};
