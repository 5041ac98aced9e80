/** What a purchase is about, as its checkout states it. */
export interface Terms {
  readonly purchaseId: string;
  readonly cookie: string;
  /** The device that the checkout expects; undefined where any will do. */
  readonly deviceId?: string;
  readonly contentId: string;
  readonly kids: readonly string[];
  readonly rights: Readonly<Record<string, unknown>>;
}

/**
 * Everything that an actor may try. `ok` values that checkers rely on: `cookie` {cookie, expiresAt}, `content-key` {},
 * `purchase` {}, `token` and `direct-token` {tokenId, deviceId}, `show-purchase` {state, code?}, `license` {keys}.
 */
export type Operation =
  | { readonly type: 'cookie'; readonly accountId: string; readonly ttlSeconds?: number }
  | { readonly type: 'content-key'; readonly kid: string }
  | { readonly type: 'register'; readonly cookie: string; readonly deviceId: string; readonly replica: number; readonly proofId: string }
  /** `via` amqp: accepted means confirmed and not returned. A returned one is `refused` with status 0 and `unroutable`. */
  | { readonly type: 'purchase'; readonly via: 'amqp' | 'http'; readonly terms: Terms; readonly messageId?: string }
  | { readonly type: 'refund'; readonly via: 'amqp' | 'http'; readonly purchaseId: string }
  | { readonly type: 'revoke'; readonly deviceId: string }
  | { readonly type: 'show-purchase'; readonly purchaseId: string }
  | { readonly type: 'token'; readonly purchaseId: string; readonly waitSeconds: number }
  | { readonly type: 'direct-token'; readonly cookie: string; readonly kids: readonly string[]; readonly idempotencyKey: string; readonly via?: 'expressplay' }
  /** A licence for a content token. `proofId` is the proof's `jti`: two with the same one present the same proof. */
  | {
      readonly type: 'license';
      readonly tokenId: string;
      readonly purchaseId?: string;
      readonly deviceId: string;
      readonly kids: readonly string[];
      readonly replica: number;
      readonly proofId: string;
    }
  /** A fault, from its first hurt until everything is up again. `ok` value: {struck}. */
  | { readonly type: 'fault'; readonly name: string; readonly repeatsEvents?: boolean };
