import { AsyncLocalStorage } from 'node:async_hooks';

const correlations = new AsyncLocalStorage<string>();

/** Runs `work` so that everything it logs, asks and publishes carries this correlation id. */
export function withCorrelation<T>(correlationId: string | undefined, work: () => T): T {
  return correlations.run(correlationId ?? crypto.randomUUID(), work);
}

/** The correlation id of the act under way, or undefined outside of one. */
export function currentCorrelationId(): string | undefined {
  return correlations.getStore();
}

const correlationForm = /^[\x21-\x7e]{1,128}$/;

/** A correlation id from outside, if its form is harmless (it is written to logs); else undefined. */
export function readCorrelationId(text: unknown): string | undefined {
  return typeof text === 'string' && correlationForm.test(text) ? text : undefined;
}
