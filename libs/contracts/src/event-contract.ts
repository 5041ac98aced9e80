import type { z } from 'zod';

/** The apps that hear and answer on the broker. */
export type ServiceName = 'cookie' | 'device-registry' | 'token-issuer' | 'license-server' | 'gateway';

/** One event: its PascalCase name, its CloudEvents `type` (which is literally the routing key), and the schema of its data. */
export interface EventContract<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly schema: Schema;
  readonly example: z.input<Schema>;
  /** Whether a consumer that failed must try again soon: until it succeeds, what was revoked or refunded still plays. */
  readonly urgent?: boolean;
}

/** The data of an event. */
export type EventData<Contract extends EventContract> = z.infer<Contract['schema']>;

/** Declares an event; the example is part of the contract, and the documents show it. */
export function defineEvent<Schema extends z.ZodObject>(contract: EventContract<Schema>): EventContract<Schema> {
  return contract;
}

/**
 * Which of its publications a service hears an event by. One service at most hears the `original`, which is published
 * under the event's type for all to see; each further one gets a `copy` of its own. `mandatory` says only that *some*
 * queue took a message: with two hearers of one publication, the lost binding of one would look like success.
 */
export type HeardBy = 'original' | 'copy';

/** An event as one service hears it: it checks the fields that it uses and ignores the rest. */
export interface Subscription<Data = unknown> {
  readonly event: EventContract;
  readonly fields: readonly string[];
  readonly schema: z.ZodType<Data>;
  readonly by: HeardBy;
}

/** Says that a service hears an event and which fields it uses, so that a change to any other field cannot hurt it. */
export function hear<Schema extends z.ZodObject, Field extends keyof z.infer<Schema> & string>(
  event: EventContract<Schema>,
  fields: readonly Field[],
): Subscription<Pick<z.infer<Schema>, Field>> {
  const mask = Object.fromEntries(fields.map((field) => [field, true as const]));
  const schema = event.schema.pick(mask as never) as unknown as z.ZodType<Pick<z.infer<Schema>, Field>>;
  return { event: event, fields, schema, by: 'original' };
}

/** As `hear`, by a copy of its own: another service hears the original. Whoever says the event must name this service. */
export function hearCopy<Schema extends z.ZodObject, Field extends keyof z.infer<Schema> & string>(
  event: EventContract<Schema>,
  fields: readonly Field[],
): Subscription<Pick<z.infer<Schema>, Field>> {
  return { ...hear(event, fields), by: 'copy' };
}

/** The data that a subscription delivers. */
export type Heard<S> = S extends Subscription<infer Data> ? Data : never;

/** An event as one service says it, and to whom it addresses copies. */
export interface Saying {
  readonly event: EventContract;
  readonly copiesTo: readonly ServiceName[];
  /** Whether it only passes on what another has said: copies alone, for the original was theirs. */
  readonly passedOn: boolean;
}

/** Says that a service says an event: the original, and a copy to each service that hears it by `hearCopy`. */
export function say(event: EventContract, copiesTo: readonly ServiceName[] = []): Saying {
  return { event, copiesTo, passedOn: false };
}

/** Says that a service passes on what it has accepted from outside: to these services alone. */
export function passOn(event: EventContract, copiesTo: readonly ServiceName[]): Saying {
  return { event, copiesTo, passedOn: true };
}

/** Everything that one service hears and says: the source of the broker topology, its permissions and AsyncAPI. */
export interface ServiceMessaging {
  readonly service: ServiceName;
  readonly hears: readonly Subscription[];
  readonly says: readonly Saying[];
  /** Services that it asks by request and response. */
  readonly asks: readonly ServiceName[];
}
