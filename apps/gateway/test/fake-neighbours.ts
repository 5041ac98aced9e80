import { Problem, type RequestContract, type RequestInput, type RequestOutput, type ServiceName } from '@latchkey/contracts';
import type { Broker } from '@latchkey/messaging';
import type { z } from 'zod';

type Answer = (input: unknown) => unknown;

/** The services that the gateway asks, as they answer in one test. What nobody prepared is `internal`. */
export class FakeNeighbours {
  /** Every request that came, in order. */
  readonly asked: { name: string; input: unknown }[] = [];
  private answers = new Map<string, Answer>();

  /** Serves as every service that the gateway asks, on this bus. */
  async serve(broker: Broker): Promise<void> {
    for (const service of ['cookie', 'device-registry', 'token-issuer', 'license-server'] satisfies ServiceName[]) {
      await broker.declare({ service, hears: [], says: [], asks: [] });
      await broker.serve(service, async ({ name, body }) => Buffer.from(JSON.stringify(await this.reply(name, JSON.parse(body.toString('utf8'))))));
    }
  }

  /** Has a request answered by `answer`, which refuses by throwing a `Problem`. */
  answer<Input extends z.ZodType, Output extends z.ZodType>(
    contract: RequestContract<Input, Output>,
    answer: (input: RequestInput<RequestContract<Input, Output>>) => RequestOutput<RequestContract<Input, Output>> | Promise<RequestOutput<RequestContract<Input, Output>>>,
  ): void {
    this.answers.set(contract.name, answer as Answer);
  }

  /** Has a request refused. */
  refuse(contract: RequestContract, problem: Problem): void {
    this.answers.set(contract.name, () => {
      throw problem;
    });
  }

  /** Forgets what was prepared and asked. */
  reset(): void {
    this.answers = new Map();
    this.asked.length = 0;
  }

  private async reply(name: string, input: unknown): Promise<unknown> {
    this.asked.push({ name, input });
    try {
      const answer = this.answers.get(name);
      if (!answer) throw new Error(`no answer is prepared for ${name}`);
      return { ok: true, value: await answer(input) };
    } catch (error) {
      return { ok: false, problem: (error instanceof Problem ? error : new Problem('internal')).toWire() };
    }
  }
}
