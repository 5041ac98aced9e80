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
}

/** The data of an event. */
export type EventData<Contract extends EventContract> = z.infer<Contract['schema']>;

/** Declares an event; the example is part of the contract, and the documents show it. */
export function defineEvent<Schema extends z.ZodObject>(contract: EventContract<Schema>): EventContract<Schema> {
  return contract;
}

/** An event as one service hears it: it checks the fields that it uses and ignores the rest. */
export interface Subscription<Data = unknown> {
  readonly event: EventContract;
  readonly fields: readonly string[];
  readonly schema: z.ZodType<Data>;
}

/** Says that a service hears an event and which fields it uses, so that a change to any other field cannot hurt it. */
export function hear<Schema extends z.ZodObject, Field extends keyof z.infer<Schema> & string>(
  event: EventContract<Schema>,
  fields: readonly Field[],
): Subscription<Pick<z.infer<Schema>, Field>> {
  const mask = Object.fromEntries(fields.map((field) => [field, true as const]));
  const schema = event.schema.pick(mask as never) as unknown as z.ZodType<Pick<z.infer<Schema>, Field>>;
  return { event: event, fields, schema };
}

/** The data that a subscription delivers. */
export type Heard<S> = S extends Subscription<infer Data> ? Data : never;

/** Everything that one service hears and says: the source of the broker topology, its permissions and AsyncAPI. */
export interface ServiceMessaging {
  readonly service: ServiceName;
  readonly hears: readonly Subscription[];
  readonly says: readonly EventContract[];
  /** Services that it asks by request and response. */
  readonly asks: readonly ServiceName[];
}
