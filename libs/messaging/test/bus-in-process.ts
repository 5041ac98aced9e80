import { type InProcessBroker, type InProcessBrokerOptions, openInProcessBroker } from '../src/in-process-broker.js';
import { cookieService, issuer } from './contract-fixtures.js';

/** Buses on one database, all closed at the end of a test. */
export class Buses {
  private readonly opened: InProcessBroker[] = [];

  constructor(private readonly databaseUrl: string) {}

  /** Opens a bus with both services of the contract declared. */
  async open(options: Partial<InProcessBrokerOptions> = {}): Promise<InProcessBroker> {
    const bus = await openInProcessBroker({ databaseUrl: this.databaseUrl, ...options });
    this.opened.push(bus);
    await bus.declare(issuer);
    await bus.declare(cookieService);
    return bus;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((bus) => bus.close()));
  }
}
