import type { CloudEvent, ServiceName } from '@latchkey/contracts';
import type { Broker, BrokerState, OutgoingEvent, PublishOutcome } from '@latchkey/messaging';

/** A broker whose answers to `publish` the test decides; it remembers what it was given. */
export class ScriptedBroker implements Pick<Broker, 'state' | 'publish'> {
  state: BrokerState = 'up';
  readonly published: CloudEvent[] = [];
  readonly copies: [ServiceName, CloudEvent][] = [];
  answer: (event: OutgoingEvent) => PublishOutcome | Promise<PublishOutcome> = () => 'confirmed';

  async publish(events: readonly OutgoingEvent[]): Promise<readonly PublishOutcome[]> {
    for (const { copyFor, ...event } of events) {
      if (copyFor === undefined) this.published.push(event);
      else this.copies.push([copyFor, event]);
    }
    return Promise.all(events.map(async (event) => this.answer(event)));
  }

  /** The relay needs no more of a broker than this. */
  asBroker(): Broker {
    return this as unknown as Broker;
  }
}
