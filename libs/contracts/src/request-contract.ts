import type { z } from 'zod';
import type { ServiceName } from './event-contract.js';

/**
 * One request that a service answers over the broker: `name` is the message pattern, `service` the routing key of the
 * direct exchange. Expected refusals of the domain come back as a `Problem`.
 */
export interface RequestContract<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly service: ServiceName;
  readonly input: Input;
  readonly output: Output;
}

/** What the asker sends. */
export type RequestInput<Contract extends RequestContract> = z.infer<Contract['input']>;
/** What the service answers. */
export type RequestOutput<Contract extends RequestContract> = z.infer<Contract['output']>;

/** Declares a request between services. */
export function defineRequest<Input extends z.ZodType, Output extends z.ZodType>(
  contract: RequestContract<Input, Output>,
): RequestContract<Input, Output> {
  return contract;
}
