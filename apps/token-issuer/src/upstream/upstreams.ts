import type { Evidence } from '@latchkey/contracts';
import { CONFIGURATION, Metrics } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import { ExpressPlayClient } from './expressplay-client.js';
import { UpstreamAccount } from './upstream-account.js';

/** The accounts of merchants whose tokens come from elsewhere. */
@Injectable()
export class Upstreams {
  private readonly accounts: ReadonlyMap<string, UpstreamAccount>;

  constructor(@Inject(CONFIGURATION) { tokenProviders }: TokenIssuerConfiguration, metrics: Metrics) {
    const calls = metrics.counter('latchkey_upstream_calls_total', 'Requests to providers of tokens by what came of them', ['merchant', 'call', 'outcome']);
    const circuit = metrics.gauge('latchkey_upstream_circuit', 'Whether a provider of tokens is asked: 0 as ever, 1 to try it again, 2 not', ['merchant']);
    this.accounts = new Map(
      [...tokenProviders].map(([merchant, provider]) => {
        const observe = (call: string, outcome: string): void => void calls.inc({ merchant, call, outcome });
        return [merchant, new UpstreamAccount(new ExpressPlayClient(provider), { observe })];
      }),
    );
    metrics.beforeScrape(async () => {
      for (const [merchant, { level }] of this.accounts) circuit.set({ merchant }, level);
    });
  }

  /** All of them. */
  get all(): readonly UpstreamAccount[] {
    return [...this.accounts.values()];
  }

  /** The account of a merchant, or undefined where its tokens are signed here. */
  of(merchantId: string): UpstreamAccount | undefined {
    return this.accounts.get(merchantId);
  }

  /**
   * The account that tokens of a merchant's device come from. A device that has proved a key registered here, as devices did
   * before their merchant had a provider: nobody elsewhere could restrict a token to it, so that it is served here.
   */
  forDevice(merchantId: string, evidence: Evidence): UpstreamAccount | undefined {
    return evidence === 'asserted' ? this.of(merchantId) : undefined;
  }
}
