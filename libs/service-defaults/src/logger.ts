import { currentCorrelationId } from '@latchkey/messaging';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, pino, stdSerializers } from 'pino';

/** Fields of a log line. Never a secret, token, proof, cookie or content key, and no raw URL: cookies stand in paths. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** The structured log of one service: JSON lines with `service`, `level`, `time`, `msg` and the correlation id. */
export abstract class Logger {
  abstract debug(message: string, fields?: LogFields): void;
  abstract info(message: string, fields?: LogFields): void;
  abstract warn(message: string, fields?: LogFields, error?: unknown): void;
  abstract error(message: string, fields?: LogFields, error?: unknown): void;
}

/** Opens the log of a service on standard output, or on another stream. */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    mixin: () => {
      const correlationId = currentCorrelationId();
      return correlationId === undefined ? {} : { correlationId };
    },
  };
  const out = destination ? pino(options, destination) : pino(options);
  const fields = (given: LogFields | undefined, error: unknown) => ({ ...given, ...(error === undefined ? {} : { error: describeError(error) }) });
  return {
    debug: (message, given) => out.debug(fields(given, undefined), message),
    info: (message, given) => out.info(fields(given, undefined), message),
    warn: (message, given, error) => out.warn(fields(given, error), message),
    error: (message, given, error) => out.error(fields(given, error), message),
  };
}

/**
 * What a log may know of an error. Not its other members: TypeORM's carry the query's parameters, the driver's `detail`
 * quotes key values, and both would write cookies and tokens to the log.
 */
function describeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: typeof error };
  const { code } = error as { code?: unknown };
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  const { type, stack } = stdSerializers.err(error);
  return { type, message: error.message, ...(typeof code === 'string' ? { code } : {}), stack, ...cause };
}

/** Nest's own messages in the same log. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  const from = (rest: unknown[]): LogFields => ({ context: typeof rest.at(-1) === 'string' ? String(rest.at(-1)) : undefined });
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(text(message), from(rest)),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(text(message), from(rest)),
    verbose: (message: unknown, ...rest: unknown[]) => logger.debug(text(message), from(rest)),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(text(message), from(rest)),
    error: (message: unknown, ...rest: unknown[]) => logger.error(text(message), from(rest), message instanceof Error ? message : undefined),
    fatal: (message: unknown, ...rest: unknown[]) => logger.error(text(message), from(rest), message instanceof Error ? message : undefined),
  };
}
