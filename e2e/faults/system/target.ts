import type { RabbitManagement } from '@latchkey/kits';

/** The five services, in the order in which they are started. */
export const services = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'] as const;
/** A service of the distributed system. */
export type Service = (typeof services)[number];

/** A queue of the system's virtual host, as the management API knows it. */
export interface QueueState {
  readonly name: string;
  readonly messages: number;
  readonly unacknowledged: number;
  readonly consumers: number;
}

/** What one process holds at the moment. */
export interface ProcessMemory {
  readonly service: Service;
  /** Which of the service's replicas, from 0. */
  readonly replica: number;
  readonly rssBytes: number;
  readonly heapUsedBytes?: number;
}

/** A merchant, as callers of the gateway see one. */
export interface Seller {
  readonly merchantId: string;
  readonly apiKey: string;
}

/** What the workload needs of the licence service from which the tokens of one merchant come. */
export interface UpstreamDevices {
  /** A device redeems a registration token of this cookie there. */
  redeem(cookie: string, deviceId: string): void;
}

/** All that the workload and the final look need to know of a running system. */
export interface Target {
  /** What proofs name as `htu`; also the address of the first licence server. */
  readonly licenseUrl: string;
  readonly apiKey: string;
  readonly merchantId: 'default';
  /** The merchant whose tokens come from `provider`. */
  readonly upstreamSeller: Seller;
  readonly provider: UpstreamDevices;
  /** A checkout's broker user, through the proxy. */
  readonly checkoutAmqpUrl: string;
  /** Origins of the replicas; some may be dead at the moment. */
  gatewayUrls(): readonly string[];
  licenseServerUrls(): readonly string[];
  /** Past the proxy, for the final look. */
  databaseUrl(service: Service): string;
  /** Runs SQL on a service's database, past the proxy. */
  sql<Row extends Record<string, unknown>>(service: Service, text: string, values?: readonly unknown[]): Promise<Row[]>;
  queues(): Promise<readonly QueueState[]>;
  /** The management API of the broker, past the proxy, for reading quarantines; the vhost's name goes into its paths. */
  readonly management: RabbitManagement;
  readonly vhostName: string;
  memory(): Promise<readonly ProcessMemory[]>;
  /** What all processes have logged. */
  prints(): string;
}
