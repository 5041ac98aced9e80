import type { EventContract, ServiceMessaging, ServiceName } from '@latchkey/contracts';

/** One service's list of subscriptions by name: all that the documents need of it, without importing the service. */
export interface MessagingOfService {
  readonly service: ServiceName;
  readonly hears: readonly { readonly event: string; readonly fields: readonly string[] }[];
  readonly says: readonly string[];
  readonly asks: readonly ServiceName[];
}

/** Who says, hears and asks what, over all services. */
export type MessagingGraph = readonly MessagingOfService[];

/** The graph of these lists of subscriptions. */
export function messagingGraphOf(services: readonly ServiceMessaging[]): MessagingGraph {
  return services.map(({ service, hears, says, asks }) => ({
    service,
    hears: hears.map(({ event, fields }) => ({ event: event.name, fields })),
    says: says.map(({ name }) => name),
    asks,
  }));
}

/** Who says an event; an event that no service says comes from merchants' checkouts. */
export function publishersOf(event: EventContract, graph: MessagingGraph): readonly string[] {
  const services = graph.filter(({ says }) => says.includes(event.name)).map(({ service }) => service);
  return services.length > 0 ? services : ['checkout'];
}

/** Which services hear an event, and which of its fields each uses. */
export function hearersOf(event: EventContract, graph: MessagingGraph): readonly { readonly service: ServiceName; readonly fields: readonly string[] }[] {
  return graph.flatMap(({ service, hears }) => hears.filter((heard) => heard.event === event.name).map(({ fields }) => ({ service, fields })));
}
