import { type Broker, Requests } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Health } from './health.js';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';

/** The token under which a service's own configuration is injected: `@Inject(CONFIGURATION) configuration: …`. */
export const CONFIGURATION = Symbol('configuration');

/** The token under which the broker is injected, for what neither events nor `Requests` say: `@Inject(BROKER) broker: Broker`. */
export const BROKER = Symbol('broker');

/** What every service can have injected. */
export interface Runtime {
  readonly configuration: unknown;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly dataSource: DataSource;
  readonly outbox: Outbox;
  readonly broker: Broker;
}

/** Gives a service's modules the parts that are made before Nest starts. */
@Module({})
export class RuntimeModule {
  /** The module with these parts. */
  static of(runtime: Runtime): DynamicModule {
    const providers = [
      { provide: CONFIGURATION, useValue: runtime.configuration },
      { provide: Logger, useValue: runtime.logger },
      { provide: Metrics, useValue: runtime.metrics },
      { provide: Health, useValue: runtime.health },
      { provide: DataSource, useValue: runtime.dataSource },
      { provide: Outbox, useValue: runtime.outbox },
      { provide: BROKER, useValue: runtime.broker },
      { provide: Requests, useValue: new Requests(runtime.broker) },
    ];
    return { module: RuntimeModule, global: true, providers, exports: providers.map((provider) => provider.provide) };
  }
}
