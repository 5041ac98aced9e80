import type { CloudEvent, ServiceName } from '@latchkey/contracts';
import type { Broker, BrokerState, PublishOutcome } from '@latchkey/messaging';

/** A broker whose answers to `publish` the test decides; it remembers what it was given. */
export class ScriptedBroker implements Pick<Broker, 'state' | 'publish'> {
  state: BrokerState = 'up';
  readonly published: CloudEvent[] = [];
  readonly copies: [ServiceName, CloudEvent][] = [];
  answer: (event: CloudEvent, copyFor?: ServiceName) => PublishOutcome | Promise<PublishOutcome> = () => 'confirmed';

  async publish(events: readonly CloudEvent[], copyFor?: ServiceName): Promise<readonly PublishOutcome[]> {
    if (copyFor === undefined) this.published.push(...events);
    else this.copies.push(...events.map((event): [ServiceName, CloudEvent] => [copyFor, event]));
    return Promise.all(events.map(async (event) => this.answer(event, copyFor)));
  }

  /** The relay needs no more of a broker than this. */
  asBroker(): Broker {
    return this as unknown as Broker;
  }
}
