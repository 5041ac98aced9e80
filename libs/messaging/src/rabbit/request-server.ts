import type { ServiceName } from '@latchkey/contracts';
import type { RequestHandler, Running } from '../broker.js';
import type { BrokerLogger } from '../observer.js';
import { formerRequestTopology, namesOf, requestTopology, type Topology } from '../topology.js';
import { Answering } from './answering.js';
import { declareTopology } from './declare-topology.js';
import type { Link } from './link.js';
import { messageOf } from './message-of.js';

/** What a service's requests are taken with. */
export interface RequestServerOptions {
  readonly service: ServiceName;
  readonly handler: RequestHandler;
  readonly prefetch: number;
  readonly logger: BrokerLogger;
  readonly onClockDifference?: (aheadSeconds: number) => void;
}

/**
 * Takes a service's requests from its queue, and from the queue of the release before. That one lives on one node: while the node
 * is down, callers of the release before cannot be answered, and all others are.
 */
export class RequestServer implements Running {
  readonly service: ServiceName;
  /** What has to be declared for both. */
  readonly topology: Topology;
  private readonly present: Answering;
  private readonly former: Answering;

  constructor(link: Link, options: RequestServerOptions) {
    const { service, logger } = options;
    const { requests, formerRequests } = namesOf(service);
    const [topology, former] = [requestTopology(service), formerRequestTopology(service)];
    const take = (queue: string, needed: Topology): Answering =>
      new Answering(link, { ...options, queue, declare: (connection) => declareTopology(connection, needed, logger) });
    this.service = service;
    this.topology = {
      ...topology,
      queues: [...topology.queues, ...former.queues],
      bindings: [...topology.bindings, ...former.bindings],
    };
    this.present = take(requests, topology);
    this.former = take(formerRequests, former);
    this.former.begun().catch((error: unknown) => {
      logger.warn('requests of the release before are not taken', { service, error: messageOf(error) });
    });
  }

  /** Whether it can take requests at the moment. */
  get ready(): boolean {
    return this.present.ready;
  }

  /** As `KeptChannel.begun`. */
  begun(): Promise<void> {
    return this.present.begun();
  }

  async stop(): Promise<void> {
    await Promise.all([this.present.stop(), this.former.stop()]);
  }
}
