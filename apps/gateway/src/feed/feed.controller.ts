import { type Heard, type OperationInput, operations } from '@latchkey/contracts';
import type { Delivery, Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller, Req, Res } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';
import { toldToMerchants } from '../subscriptions.js';
import { EventStreams } from './event-streams.js';
import { FeedSequencer } from './feed-sequencer.js';
import { FeedStore } from './feed-store.js';

/** What merchants are told about: heard over the broker, followed over HTTP. */
@Controller()
export class FeedController {
  constructor(
    private readonly outbox: Outbox,
    private readonly store: FeedStore,
    private readonly sequencer: FeedSequencer,
    private readonly streams: EventStreams,
  ) {}

  @EventPattern<string[]>(toldToMerchants.map(({ event }) => event.type))
  async hear(@Payload() batch: readonly Delivery<Heard<(typeof toldToMerchants)[number]>>[]): Promise<readonly Verdict[]> {
    const verdicts = await handleOnce(this.outbox, batch, async (tx, fresh) => {
      await this.store.append(tx, fresh.map(({ event }) => ({ merchantId: event.data.merchantId, type: event.type, data: event.data, time: event.time })));
      return new Map();
    });
    this.sequencer.wake();
    return verdicts;
  }

  @Operation(operations.streamEvents)
  async stream(
    @CalledBy() caller: Caller,
    @Input() { headers }: OperationInput<typeof operations.streamEvents>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lastEventId = headers['last-event-id'];
    if (request.method === 'HEAD') return void reply.send();
    await this.streams.serve(caller, lastEventId === undefined ? undefined : Number(lastEventId), reply);
  }
}
