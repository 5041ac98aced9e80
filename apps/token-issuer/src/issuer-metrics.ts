import { Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { countWaiting } from './purchase-store.js';
import { Reader } from './rows.js';

/** Why a token was issued. */
export type IssueCause = 'purchase' | 'renewal' | 'request';

/** What became of a purchase: a state, or the code of its rejection. */
export type PurchaseEnd = string;

/** The numbers that this service alone has. Counted after the commit: what was rolled back did not happen. */
@Injectable()
export class IssuerMetrics {
  private readonly issued;
  private readonly purchases;

  constructor(metrics: Metrics, reader: Reader) {
    this.issued = metrics.counter('latchkey_tokens_issued_total', 'Content tokens by why they were issued', ['cause']);
    this.purchases = metrics.counter('latchkey_purchases_total', 'Purchases by what became of them: a state, or the code of a rejection', ['end']);
    const waiting = metrics.gauge('latchkey_purchases_waiting', 'Purchases that wait for a device', []);
    metrics.beforeScrape(async () => waiting.set(await countWaiting(reader)));
  }

  tokensIssued(cause: IssueCause, count: number): void {
    if (count > 0) this.issued.inc({ cause }, count);
  }

  purchasesEnded(ends: readonly PurchaseEnd[]): void {
    for (const end of ends) this.purchases.inc({ end });
  }
}
