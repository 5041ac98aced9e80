import type { ServiceName } from '@latchkey/contracts';
import type { MessagingObserver } from '@latchkey/messaging';
import type { RelayObserver } from '@latchkey/outbox';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** Logs and counts what the messaging layer reports. A message that is put aside is an error: somebody must look. */
export function messagingObserver(service: ServiceName, logger: Logger, metrics: Metrics): MessagingObserver {
  return {
    handled: (type, verdict, durationMs, attempt) => {
      metrics.eventsHandled.inc({ service, type, verdict: verdict.kind });
      metrics.eventDuration.observe({ service, type }, durationMs / 1000);
      if (verdict.kind === 'quarantine') logger.error('an event was quarantined', { type, reason: verdict.reason, attempt });
      else if (verdict.kind === 'wait') logger.debug('an event waits', { type, reason: verdict.reason });
      else if (verdict.kind === 'retry') logger.warn('an event is retried', { type, reason: verdict.reason, attempt });
      else logger.debug('an event was handled', { type, attempt });
    },
    waiting: (type, reason, error) => logger.warn('events wait for a part that is away', { type, reason }, error),
    goesOn: (type) => logger.info('events that waited are handled again', { type }),
    failed: (type, error) => {
      metrics.eventFailures.inc({ service, type });
      logger.warn('an event handler failed', { type }, error);
    },
    answered: (name, outcome, durationMs, error) => {
      metrics.requests.observe({ service, name, outcome }, durationMs / 1000);
      if (error !== undefined) logger.error('a request failed', { name }, error);
      else logger.debug('a request was answered', { name, outcome });
    },
  };
}

/** Logs and counts what a relay reports. */
export function relayObserver(service: ServiceName, logger: Logger, metrics: Metrics): RelayObserver {
  return {
    relayed: (outcomes) => {
      for (const outcome of outcomes) metrics.relayed.inc({ service, outcome });
    },
    parked: (routingKey, outcome, lag) =>
      logger.error('an outbox destination takes nothing and is parked', { routingKey, outcome, ...lag }),
    released: (routingKey) => logger.info('an outbox destination takes events again', { routingKey }),
    parkedCount: (count) => metrics.outboxParked.set({ service }, count),
    failed: (error) => logger.warn('the outbox could not be relayed and will be tried again', {}, error),
  };
}
