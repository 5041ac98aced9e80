// Looks into what a process says to the broker and hears from it, before amqplib does.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
// amqplib exports no classes, but files of a package can be required by their path.
const { Channel, ConfirmChannel } = require(join(dirname(require.resolve('amqplib')), 'lib', 'channel_model.js'));

const queues = Symbol('queue by consumer tag');
/** What amqplib would have done. */
export const original = {
  consume: Channel.prototype.consume,
  ack: Channel.prototype.ack,
  publish: Channel.prototype.publish,
  confirmedPublish: ConfirmChannel.prototype.publish,
};

/** Called with (channel, queue, message, next) for each delivery; `next(message)` hands it on. */
export const onDelivery = [];
/** Called with (channel, message, allUpTo) before an acknowledgement is sent; true keeps it from being sent. */
export const onAck = [];
/** Called with (channel, {exchange, routingKey, content, options, confirmed}) before a message is sent; true: it is not. */
export const onPublish = [];
/** Called with (channel, queue, consumerTag) when a consumer has begun; and before, with no tag: true keeps it from beginning. */
export const onConsume = [];

/** The queue that a channel consumes, or undefined. */
export function queueOf(channel) {
  return channel[queues];
}

Channel.prototype.consume = async function consume(queue, callback, options) {
  if (onConsume.some((hook) => hook(this, queue) === true)) return { consumerTag: 'never' };
  this[queues] = queue;
  const hand = onDelivery.reduceRight(
    (next, hook) => (message) => (message ? hook(this, queue, message, next) : next(message)),
    (message) => callback(message),
  );
  const fields = await original.consume.call(this, queue, (message) => hand(message), options);
  for (const hook of onConsume) hook(this, queue, fields.consumerTag);
  return fields;
};

Channel.prototype.ack = function ack(message, allUpTo) {
  if (onAck.some((hook) => hook(this, message, allUpTo) === true)) return;
  original.ack.call(this, message, allUpTo);
};

Channel.prototype.publish = function publish(exchange, routingKey, content, options) {
  if (onPublish.some((hook) => hook(this, { exchange, routingKey, content, options }) === true)) return true;
  return original.publish.call(this, exchange, routingKey, content, options);
};

// Called `super.publish`, so that both kinds of channel pass by the hooks once.
ConfirmChannel.prototype.publish = function publish(exchange, routingKey, content, options, confirmed) {
  if (onPublish.some((hook) => hook(this, { exchange, routingKey, content, options, confirmed }) === true)) return true;
  const result = original.publish.call(this, exchange, routingKey, content, options);
  this.pushConfirmCallback(confirmed);
  return result;
};
