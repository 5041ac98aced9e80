import { Problem } from '@latchkey/contracts';
import { CONFIGURATION, Metrics } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { addressBlock } from './address-block.js';
import { type Bucket, type BucketRule, take } from './token-bucket.js';

/** What was looked up in vain. */
type LookupKind = 'api-key' | 'cookie';

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

  /**
   * Counts a wrong API key, by the client's address and by the key id that it named, whether there is such a key or not:
   * guesses at one key are as limited from many addresses as from one. A connection that was lost meanwhile has no
   * address any more. Throws `rate-limited` where there were too many.
   */
  countApiKey(address: string | undefined, keyId: string | undefined): void {
    this.count('api-key', [`address ${addressBlock(address ?? '')}`, ...(keyId === undefined ? [] : [`key ${keyId}`])]);
  }

  /** Counts an unknown cookie, by the merchant that asked for it. Throws `rate-limited` where there were too many. */
  countCookie(merchantId: string): void {
    this.count('cookie', [`merchant ${merchantId}`]);
  }

  private count(kind: LookupKind, owners: readonly string[]): void {
    const waits = owners.map((owner) => this.takeFrom(owner)).filter((wait) => wait !== undefined);
    this.counter.inc({ kind, limited: String(waits.length > 0) });
    if (waits.length > 0) throw new Problem('rate-limited', { retryAfterSeconds: Math.max(...waits) });
  }

  /** Takes from the owner's bucket; how long to wait where it is empty. */
  private takeFrom(owner: string): number | undefined {
    const { bucket, retryAfterSeconds } = take(this.buckets.get(owner), this.rule, performance.now());
    this.buckets.delete(owner);
    this.buckets.set(owner, bucket);
    if (this.buckets.size > BUCKETS_MAX) this.buckets.delete(this.buckets.keys().next().value!);
    return retryAfterSeconds;
  }
}
