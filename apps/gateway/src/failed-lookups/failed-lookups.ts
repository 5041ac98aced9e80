import { Problem } from '@latchkey/contracts';
import { CONFIGURATION, Metrics } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { type Bucket, type BucketRule, take } from './token-bucket.js';

/** What was looked up in vain: an API key (counted by the client's address) or a cookie (counted by the merchant). */
export type LookupKind = 'api-key' | 'cookie';

/** A bound on memory: past it the buckets that were used longest ago are forgotten, which forgives their owners early. */
const BUCKETS_MAX = 10_000;

/** Counts failed look-ups. Only what failed is ever refused for it; who looks up what exists never notices. */
@Injectable()
export class FailedLookups {
  private readonly buckets = new Map<string, Bucket>();
  private readonly rule: BucketRule;
  private readonly counter;

  constructor(@Inject(CONFIGURATION) configuration: GatewayConfiguration, metrics: Metrics) {
    this.rule = { capacity: configuration.failedLookupsBurst, refillPerSecond: configuration.failedLookupsPerMinute / 60 };
    this.counter = metrics.counter('latchkey_gateway_failed_lookups_total', 'Failed look-ups of API keys and cookies, by whether they were limited', ['kind', 'limited']);
  }

  /** Counts one failure of `who`; throws `rate-limited` where there were too many. */
  count(kind: LookupKind, who: string): void {
    const key = `${kind} ${who}`;
    const { bucket, retryAfterSeconds } = take(this.buckets.get(key), this.rule, performance.now());
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > BUCKETS_MAX) this.buckets.delete(this.buckets.keys().next().value!);
    this.counter.inc({ kind, limited: String(retryAfterSeconds !== undefined) });
    if (retryAfterSeconds !== undefined) throw new Problem('rate-limited', { retryAfterSeconds });
  }
}
