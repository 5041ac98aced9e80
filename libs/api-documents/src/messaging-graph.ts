import type { EventContract, HeardBy, ServiceMessaging, ServiceName } from '@latchkey/contracts';

/** One service's list of subscriptions by name: all that the documents need of it, without importing the service. */
export interface MessagingOfService {
  readonly service: ServiceName;
  readonly hears: readonly { readonly event: string; readonly fields: readonly string[]; readonly by: HeardBy }[];
  readonly says: readonly { readonly event: string; readonly copiesTo: readonly ServiceName[]; readonly passedOn: boolean }[];
  readonly asks: readonly ServiceName[];
}

/** Who says, hears and asks what, over all services. */
export type MessagingGraph = readonly MessagingOfService[];

/** The graph of these lists of subscriptions. */
export function messagingGraphOf(services: readonly ServiceMessaging[]): MessagingGraph {
  return services.map(({ service, hears, says, asks }) => ({
    service,
    hears: hears.map(({ event, fields, by }) => ({ event: event.name, fields, by })),
    says: says.map(({ event, copiesTo, passedOn }) => ({ event: event.name, copiesTo, passedOn })),
    asks,
  }));
}

/** Who says an event; an event that no service says comes from merchants' checkouts. */
export function publishersOf(event: EventContract, graph: MessagingGraph): readonly string[] {
  const services = graph.filter(({ says }) => says.some((saying) => saying.event === event.name && !saying.passedOn)).map(({ service }) => service);
  return services.length > 0 ? services : ['checkout'];
}

/** A service that hears an event, which of its fields it uses, and by which publication. */
export interface Hearer {
  readonly service: ServiceName;
  readonly fields: readonly string[];
  readonly by: HeardBy;
}

/** Which services hear an event. */
export function hearersOf(event: EventContract, graph: MessagingGraph): readonly Hearer[] {
  return graph.flatMap(({ service, hears }) => hears.filter((heard) => heard.event === event.name).map(({ fields, by }) => ({ service, fields, by })));
}

/** Who sends the copy of an event to a service: who says it, or who passes it on. */
export function copiersOf(event: EventContract, service: ServiceName, graph: MessagingGraph): readonly ServiceName[] {
  return graph.filter(({ says }) => says.some((saying) => saying.event === event.name && saying.copiesTo.includes(service))).map((copier) => copier.service);
}
