/** A RabbitMQ that a container is to use: the same broker and user, as they are reached from two places. */
export interface AmqpBroker {
  /** From inside the container, say `amqp://user:password@rabbitmq:5672` on a network of its own. */
  readonly insideUrl: string;
  /** From the suite. */
  readonly outsideUrl: string;
}
