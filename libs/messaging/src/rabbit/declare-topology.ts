import type { Channel, ChannelModel } from 'amqplib';
import type { ExchangeDeclaration, Topology } from '../topology.js';
import type { BrokerLogger } from '../observer.js';
import { inTime } from './in-time.js';

/** Declares a topology; repeating it is harmless. Rejects when something else stands under one of its names, or nobody may. */
export async function declareTopology(connection: ChannelModel, topology: Topology, logger: BrokerLogger): Promise<void> {
  for (const exchange of topology.exchanges) {
    if (exchange.shared && (await isThere(connection, exchange, logger))) continue;
    await onChannel(connection, logger, (channel) => channel.assertExchange(exchange.name, exchange.type, { durable: true }));
  }
  await onChannel(connection, logger, async (channel) => {
    for (const queue of topology.queues) await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
    for (const { queue, exchange, routingKey } of topology.bindings) await channel.bindQueue(queue, exchange, routingKey);
  });
}

/** Asked first, because a user with least privilege may not declare a shared exchange even if it is there as it should be. */
async function isThere(connection: ChannelModel, exchange: ExchangeDeclaration, logger: BrokerLogger): Promise<boolean> {
  try {
    await onChannel(connection, logger, (channel) => channel.checkExchange(exchange.name));
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return false;
    throw error;
  }
}

/** Uses a channel of its own, which the broker closes when it refuses. */
export async function onChannel<T>(connection: ChannelModel, logger: BrokerLogger, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await inTime(connection.createChannel(), 'opening a channel');
  // The same error rejects the operation that caused it; unheard it would end the process.
  channel.on('error', (error) => logger.info('the broker refused an operation', { error: error.message }));
  const ended = new Promise<void>((resolve) => channel.once('close', resolve));
  try {
    return await inTime(use(channel), 'an operation on a channel of its own');
  } finally {
    // amqplib settles a closing when the broker answers it, and never where the connection is lost before: who waited for
    // that alone would wait for ever, and so neither consume nor answer again.
    // Nor where the broker does not answer at all.
    await inTime(Promise.race([channel.close().catch(() => undefined), ended]), 'closing a channel').catch(() => undefined);
  }
}
