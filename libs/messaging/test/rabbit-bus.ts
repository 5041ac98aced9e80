import { createTestVhost, type TestVhost } from '@latchkey/kits';
import { connectRabbit, type RabbitBroker, type RabbitOptions } from '../src/rabbit-broker.js';
import { fastLadder } from './contract-fixtures.js';

/** One line of a log. */
export interface LogLine {
  readonly level: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A virtual host with brokers on it that are all closed with it. */
export class RabbitBus {
  readonly lines: LogLine[] = [];
  private readonly brokers: RabbitBroker[] = [];

  private constructor(readonly vhost: TestVhost) {}

  static async open(): Promise<RabbitBus> {
    return new RabbitBus(await createTestVhost());
  }

  connect(options: Partial<RabbitOptions> = {}): RabbitBroker {
    const at = (level: string) => (message: string, details: LogLine['details'] = {}) => void this.lines.push({ level, details, message });
    const logger = { info: at('info'), warn: at('warn'), error: at('error') };
    const broker = connectRabbit({ url: this.vhost.amqpUrl, clientName: 'test', logger, ladder: fastLadder, attemptsMax: 4, ...options });
    this.brokers.push(broker);
    return broker;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.brokers.splice(0).map((broker) => broker.close()));
    await this.vhost.close();
  }
}
