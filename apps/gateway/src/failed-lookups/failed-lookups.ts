import { Problem } from '@latchkey/contracts';
import { CONFIGURATION, Metrics } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { addressBlock } from './address-block.js';
import { type Bucket, type BucketRule, take } from './token-bucket.js';

/** What was looked up in vain. */
type LookupKind = 'api-key' | 'cookie';

/** A bound on memory, for each kind of owner: past it the buckets that were used longest ago are forgotten, which forgives their owners early. */
const BUCKETS_MAX = 10_000;

/** Counts failed look-ups. Only what failed is ever refused for it; who looks up what exists never notices. */
@Injectable()
export class FailedLookups {
  /** Apart, so that made-up key ids, of which there is no end, push out no address and no merchant. */
  private readonly buckets = { address: new Map<string, Bucket>(), key: new Map<string, Bucket>(), merchant: new Map<string, Bucket>() };
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
    const byAddress = this.takeFrom('address', addressBlock(address ?? ''));
    // Whoever is limited already changes no more.
    const byKey = byAddress === undefined && keyId !== undefined ? this.takeFrom('key', keyId) : undefined;
    this.judge('api-key', byAddress ?? byKey);
  }

  /** Counts an unknown cookie, by the merchant that asked for it. Throws `rate-limited` where there were too many. */
  countCookie(merchantId: string): void {
    this.judge('cookie', this.takeFrom('merchant', merchantId));
  }

  private judge(kind: LookupKind, retryAfterSeconds: number | undefined): void {
    this.counter.inc({ kind, limited: String(retryAfterSeconds !== undefined) });
    if (retryAfterSeconds !== undefined) throw new Problem('rate-limited', { retryAfterSeconds });
  }

  /** Takes from the owner's bucket; how long to wait where it is empty. */
  private takeFrom(by: keyof FailedLookups['buckets'], owner: string): number | undefined {
    const buckets = this.buckets[by];
    const { bucket, retryAfterSeconds } = take(buckets.get(owner), this.rule, performance.now());
    buckets.delete(owner);
    buckets.set(owner, bucket);
    if (buckets.size > BUCKETS_MAX) buckets.delete(buckets.keys().next().value!);
    return retryAfterSeconds;
  }
}
