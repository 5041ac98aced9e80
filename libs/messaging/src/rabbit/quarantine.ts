import { setTimeout as delay } from 'node:timers/promises';
import type { Channel, GetMessage } from 'amqplib';
import type { QuarantinedMessage } from '../broker.js';
import { namesOf } from '../topology.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import { type Reader, redrivenMessage, toQuarantined } from './envelope.js';

/** Reads a service's quarantine, oldest first, and puts everything back in its place. */
export async function listQuarantined(channel: Channel, reader: Reader, limit: number): Promise<readonly QuarantinedMessage[]> {
  const listed: QuarantinedMessage[] = [];
  while (listed.length < limit) {
    const message = await next(channel, reader);
    if (!message) break;
    listed.push(await toQuarantined(message, reader));
  }
  await putBack(channel, reader, listed.length);
  return listed;
}

/**
 * Brings messages back into the service's queue, and answers how many. Each is in both queues until the broker has
 * confirmed it. It looks at no more than were there at first: one that comes straight back would go round for ever.
 * Rejects when the broker does not confirm; what was not brought back is still in quarantine.
 */
export async function redriveQuarantined(
  channel: Channel,
  reader: Reader,
  publisher: ConfirmedPublisher,
  ids: ReadonlySet<string> | undefined,
): Promise<number> {
  const { messageCount } = await channel.checkQueue(namesOf(reader.service).dlq);
  let redriven = 0;
  let kept = 0;
  for (let looked = 0; looked < messageCount; looked += 1) {
    const message = await next(channel, reader);
    if (!message) break;
    if (ids && !ids.has((await toQuarantined(message, reader)).id)) {
      kept += 1;
      continue;
    }
    const [outcome] = await publisher.send([redrivenMessage(message, reader)]);
    if (outcome !== 'confirmed') throw new Error(`${redriven} messages were redriven, then the broker did not take one: ${outcome}`);
    channel.ack(message);
    redriven += 1;
  }
  await putBack(channel, reader, kept);
  return redriven;
}

/**
 * Gives back what was only looked at, and waits until it is there (or a second has passed: somebody else may have taken
 * it). Giving back is not confirmed, and whoever looks again too early would find the quarantine empty.
 */
async function putBack(channel: Channel, { service }: Reader, count: number): Promise<void> {
  if (count === 0) return;
  channel.nackAll(true);
  for (let looks = 0; looks < 50; looks += 1) {
    const { messageCount } = await channel.checkQueue(namesOf(service).dlq);
    if (messageCount >= count) return;
    await delay(20);
  }
}

async function next(channel: Channel, reader: Reader): Promise<GetMessage | false> {
  return channel.get(namesOf(reader.service).dlq, { noAck: false });
}
