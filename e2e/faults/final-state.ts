import type { ProcessMemory, QueueState, Service } from './system/target.js';

/** A purchase as the token issuer keeps it. */
export interface PurchaseRow {
  readonly purchaseId: string;
  readonly state: string;
  readonly code: string | null;
  readonly cookie: string | null;
  readonly contentId: string | null;
  readonly kids: readonly string[] | null;
  readonly tokenId: string | null;
}

/** A token as the token issuer keeps it, with what its claims say. Times in milliseconds since 1970. */
export interface TokenRow {
  readonly tokenId: string;
  readonly purchaseId: string | null;
  readonly deviceId: string;
  readonly cookie: string;
  readonly kids: readonly string[];
  /** Rounded down to whole seconds. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  readonly supersededMs: number | null;
  readonly revokedMs: number | null;
  readonly revokeReason: string | null;
  /** Whether it comes from a licence service, and says nothing about itself here. */
  readonly isUpstream: boolean;
}

/** A token of a purchase became live or ended. */
export interface TokenStep {
  readonly purchaseId: string;
  readonly tokenId: string;
  readonly what: 'live' | 'ended';
}

/** A binding of the device registry, the source of what others know of it. */
export interface BindingRow {
  readonly cookie: string;
  readonly accountId: string;
  readonly deviceId: string;
  readonly registeredMs: number;
}

/** A device with its revocation. */
export interface DeviceRow {
  readonly deviceId: string;
  readonly revoked: boolean;
}

/** An event of the gateway's feed, in the order of its numbers. */
export interface FeedRow {
  readonly sequence: number | null;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When the gateway had it. */
  readonly receivedMs: number;
}

/** A webhook delivery as the gateway keeps it. */
export interface DeliveryRow {
  readonly deliveryId: string;
  /** Of the event in the feed. */
  readonly sequence: number;
  readonly state: string;
}

/** A delivery as the merchant's back end received it. */
export interface Receipt {
  readonly deliveryId: string;
  readonly atMs: number;
}

/** A message that was put aside. */
export interface QuarantinedRow {
  readonly queue: string;
  readonly reason: string;
  readonly messageId: string | null;
  /** The CloudEvents type in its headers. */
  readonly type: string | null;
  /** Where the body is JSON that names one. */
  readonly purchaseId: string | null;
}

/** What queues and processes held at one moment of the run. */
export interface Sample {
  readonly atMs: number;
  readonly queues: readonly QueueState[];
  readonly memory: readonly ProcessMemory[];
}

/** Two tokens of one purchase that were live at one instant. */
export interface TwoLiveTokens {
  readonly atMs: number;
  readonly purchaseId: string;
  readonly tokenIds: readonly string[];
}

/** How often it was looked during the run whether a purchase had two live tokens, and which had. */
export interface LiveTokenLooks {
  readonly looks: number;
  readonly found: readonly TwoLiveTokens[];
}

/** Everything that is looked at when the run is over. Times in milliseconds since 1970. */
export interface FinalState {
  /** When everything that was hurt was up again. */
  readonly healedMs: number;
  /** When nothing was under way any more; null where that did not come within the bound. */
  readonly drainedMs: number | null;
  readonly readMs: number;
  readonly issuer: {
    readonly purchases: readonly PurchaseRow[];
    readonly tokens: readonly TokenRow[];
    /** In the order that the database gave them. */
    readonly tokenSteps: readonly TokenStep[];
    readonly joins: readonly { readonly cookie: string; readonly deviceId: string | null }[];
    readonly devices: readonly DeviceRow[];
    readonly signingKeyIds: readonly string[];
  };
  readonly registry: {
    readonly devices: readonly DeviceRow[];
    readonly bindings: readonly BindingRow[];
    readonly knownCookies: readonly string[];
  };
  readonly cookies: readonly { readonly cookie: string; readonly expiresMs: number; readonly boundMs: number | null }[];
  readonly licenseServer: {
    readonly revokedTokenIds: readonly string[];
    readonly revokedDeviceIds: readonly string[];
    readonly signingKeyIds: readonly string[];
  };
  readonly feed: readonly FeedRow[];
  readonly webhook: { readonly merchantId: string; readonly deliveries: readonly DeliveryRow[]; readonly received: readonly Receipt[] };
  readonly outbox: Readonly<Record<Service, number>>;
  readonly queues: readonly QueueState[];
  readonly quarantined: readonly QuarantinedRow[];
  /** Before the first operation. */
  readonly baseline: Sample;
  readonly samples: readonly Sample[];
  readonly liveTokens: LiveTokenLooks;
}
