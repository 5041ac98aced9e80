import type { CloudEvent } from '@latchkey/contracts';
import type { Broker, BrokerState, PublishOutcome } from '@latchkey/messaging';

/** A broker whose answers to `publish` the test decides; it remembers what it was given. */
export class ScriptedBroker implements Pick<Broker, 'state' | 'publish'> {
  state: BrokerState = 'up';
  readonly published: CloudEvent[] = [];
  answer: (event: CloudEvent) => PublishOutcome | Promise<PublishOutcome> = () => 'confirmed';

  async publish(events: readonly CloudEvent[]): Promise<readonly PublishOutcome[]> {
    this.published.push(...events);
    return Promise.all(events.map(async (event) => this.answer(event)));
  }

  /** The relay needs no more of a broker than this. */
  asBroker(): Broker {
    return this as unknown as Broker;
  }
}
