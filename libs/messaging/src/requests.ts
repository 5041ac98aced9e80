import { Problem, type ProblemWire, type RequestContract, type RequestInput, type RequestOutput } from '@latchkey/contracts';
import type { z } from 'zod';
import { type Broker, RequestTimeout, RequestUnroutable } from './broker.js';
import { currentCorrelationId } from './correlation.js';
import { refuseIfLate, remainingMs } from './deadline.js';

/** How long a request waits for its answer, in milliseconds, unless the asker says otherwise. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Asks other services over the broker. An answer is checked against the contract; a refusal of the domain is thrown as
 * the `Problem` that the other service named; no answer in time is `unavailable`.
 */
export class Requests {
  constructor(private readonly broker: Broker) {}

  /**
   * Asks and waits at most `timeoutMs`, and no longer than whoever asked us. After that the request expires, so that a
   * late one does nothing.
   */
  async ask<Input extends z.ZodType, Output extends z.ZodType>(
    contract: RequestContract<Input, Output>,
    input: RequestInput<RequestContract<Input, Output>>,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<RequestOutput<RequestContract<Input, Output>>> {
    const body = Buffer.from(JSON.stringify(input));
    refuseIfLate();
    const answer = await this.send(contract, body, Math.min(timeoutMs, remainingMs() ?? timeoutMs));
    const reply = JSON.parse(answer.toString('utf8')) as { ok: true; value: unknown } | { ok: false; problem: ProblemWire };
    if (!reply.ok) throw Problem.fromWire(reply.problem);
    return contract.output.parse(reply.value);
  }

  private async send(contract: RequestContract, body: Buffer, timeoutMs: number): Promise<Buffer> {
    try {
      return await this.broker.request(contract.service, { name: contract.name, body, correlationId: currentCorrelationId(), timeoutMs });
    } catch (error) {
      if (!(error instanceof RequestTimeout) && !(error instanceof RequestUnroutable)) throw error;
      throw new Problem('unavailable', { detail: `${contract.service} does not answer`, retryAfterSeconds: 1, cause: error });
    }
  }
}

/** What a service answers if it refuses a request. */
export function refusalOf(problem: Problem): Buffer {
  return Buffer.from(JSON.stringify({ ok: false, problem: problem.toWire() }));
}

/** Reads what another service sent to a request handler; a contract that is broken between services is our own fault. */
export function readRequest<Input extends z.ZodType>(contract: RequestContract<Input>, payload: unknown): z.infer<Input> {
  const parsed = contract.input.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new Problem('internal', { detail: `${contract.name} was asked with a malformed input`, cause: parsed.error });
}
