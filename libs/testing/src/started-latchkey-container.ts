import { AbstractStartedContainer, type StartedTestContainer } from 'testcontainers';
import { type Duration, secondsOf } from './duration.js';
import type { Latchkey } from './latchkey.js';
import { moveClock } from './moved-clock.js';

/** What the started container cannot tell by itself. */
export interface LatchkeyContainerFacts {
  readonly port: number;
  readonly apiKey: string;
  readonly merchantId: string;
  /** The broker as the suite reaches it, where there is one. */
  readonly amqpUrl: string | undefined;
  /** How far its clock is ahead; undefined where it cannot be moved. */
  readonly offsetSeconds: number | undefined;
}

/** A Latchkey that runs in a container. Its addresses hold a port that Docker chose, and changes with `restart()`. */
export class StartedLatchkeyContainer extends AbstractStartedContainer implements Latchkey {
  readonly apiKey: string;
  readonly merchantId: string;
  private readonly port: number;
  private readonly broker: string | undefined;
  private offsetSeconds: number | undefined;

  constructor(started: StartedTestContainer, facts: LatchkeyContainerFacts) {
    super(started);
    this.apiKey = facts.apiKey;
    this.merchantId = facts.merchantId;
    this.port = facts.port;
    this.broker = facts.amqpUrl;
    this.offsetSeconds = facts.offsetSeconds;
  }

  get gatewayUrl(): string {
    return `http://${this.getHost()}:${this.getMappedPort(this.port)}`;
  }

  get licenseUrl(): string {
    return `${this.gatewayUrl}/v1/licenses`;
  }

  /** The broker as the suite reaches it. Throws where the container was started without `withAmqp(…)`. */
  get amqpUrl(): string {
    if (this.broker === undefined) throw new Error('This container has no broker: start it with withAmqp(…).');
    return this.broker;
  }

  /** The time in the container. */
  now(): Date {
    return new Date(Date.now() + (this.offsetSeconds ?? 0) * 1000);
  }

  /**
   * Moves every clock in the container forward, PostgreSQL's too, and resolves to the time that it is there then. Timers do
   * not notice: what is done every minute is not done at once. Throws where it was started without `withTimeTravel()`, and a
   * RangeError where the duration does not lead forward.
   */
  async travel(by: Duration): Promise<Date> {
    const seconds = secondsOf(by);
    if (this.offsetSeconds === undefined) throw new Error('This container keeps the real time: start it with withTimeTravel().');
    this.offsetSeconds += seconds;
    await moveClock(this, this.gatewayUrl, this.offsetSeconds);
    return this.now();
  }
}
