import type { BeforeApplicationShutdown } from '@nestjs/common';
import { createTestDatabase, Explorer } from '@latchkey/kits';
import { ExpireCookies } from '../../src/expire-cookies/expire-cookies.js';
import { AskRecords } from '../../src/upstream/ask-records.js';
import { FulfilOrders } from '../../src/upstream/fulfil-orders.js';
import { Issuer } from '../issuer.js';

const backgroundJobs = [ExpireCookies, FulfilOrders, AskRecords];

/**
 * An issuer whose background jobs and relay are at rest, so that a schedule alone decides what happens, and its
 * explorer.
 */
export interface QuietIssuer {
  readonly issuer: Issuer;
  readonly explorer: Explorer;
  stop(): Promise<void>;
}

/** Starts the real service on a database of its own. */
export async function startQuietIssuer(options: Parameters<typeof Issuer.start>[1] = {}): Promise<QuietIssuer> {
  const database = await createTestDatabase();
  const issuer = await Issuer.start(database.url, options);
  issuer.bus.state = 'down';
  for (const job of backgroundJobs) await issuer.app.get<BeforeApplicationShutdown>(job).beforeApplicationShutdown();
  const explorer = await Explorer.open(database.url, [issuer.service.dataSource]);
  return {
    issuer,
    explorer,
    stop: async () => {
      await explorer.close();
      await issuer.stop();
      await database.drop();
    },
  };
}
