/** How many failures are forgiven at once, and how many a second after that. */
export interface BucketRule {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** What was left at a moment. A bucket that was never used is full and needs no entry. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Whether one more was forgiven, and what is left; where it was not, how long until the next one is. */
export interface Taken {
  readonly bucket: Bucket;
  readonly retryAfterSeconds: number | undefined;
}

/** Takes one token, where there is one. */
export function take(bucket: Bucket | undefined, rule: BucketRule, nowMs: number): Taken {
  const tokens = tokensAt(bucket, rule, nowMs);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, retryAfterSeconds: undefined };
  return { bucket: { tokens, atMs: nowMs }, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / rule.refillPerSecond)) };
}

function tokensAt(bucket: Bucket | undefined, rule: BucketRule, nowMs: number): number {
  if (!bucket) return rule.capacity;
  // A clock that was set back gives nothing, and takes nothing away.
  const elapsedSeconds = Math.max(0, nowMs - bucket.atMs) / 1000;
  return Math.min(rule.capacity, bucket.tokens + elapsedSeconds * rule.refillPerSecond);
}
