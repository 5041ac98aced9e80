import { BrokenCircuitError, circuitBreaker, type CircuitBreakerPolicy, CircuitState, ConsecutiveBreaker, ExponentialBackoff, handleResultType, handleWhenResult, type IBackoffFactory, retry, TaskCancelledError } from 'cockatiel';
import type { ExpressPlayClient } from './expressplay-client.js';
import type { TokenProvider } from './token-providers.js';
import type { ObtainedToken, Refused, Unavailable } from './upstream-answer.js';
import type { RecordAnswer } from './upstream-record.js';

/** How an account is looked after. */
export interface AccountOptions {
  /** How many answers in a row have to be missing before the provider is left alone. */
  readonly failuresMax?: number;
  /** How long it is left alone before one request tries it again; longer each time that this fails. */
  readonly rest?: IBackoffFactory<unknown>;
  /** Told of each call: what it was and what came of it. */
  readonly observe?: (call: 'token' | 'record', outcome: string) => void;
}

/** 0: all is well. 1: one request tries it again. 2: nobody is asked. */
export type CircuitLevel = 0 | 1 | 2;

const levels: Readonly<Partial<Record<CircuitState, CircuitLevel>>> = { [CircuitState.Closed]: 0, [CircuitState.HalfOpen]: 1 };

type Outcome = { readonly kind: string };

const late: Unavailable = { kind: 'unavailable', why: 'deadline' };

/**
 * A merchant's account at its provider, behind a circuit breaker: a provider that does not answer is not asked over and
 * over, and whoever needs it hears so at once instead of waiting for a timeout. A refusal is an answer, and breaks nothing.
 */
export class UpstreamAccount {
  private readonly circuit: CircuitBreakerPolicy;

  constructor(
    private readonly client: ExpressPlayClient,
    private readonly options: AccountOptions = {},
  ) {
    this.circuit = circuitBreaker(handleWhenResult(isFailure), {
      breaker: new ConsecutiveBreaker(options.failuresMax ?? 5),
      halfOpenAfter: options.rest ?? new ExponentialBackoff({ initialDelay: 1_000, maxDelay: 30_000 }),
    });
  }

  get provider(): TokenProvider {
    return this.client.provider;
  }

  get level(): CircuitLevel {
    return levels[this.circuit.state] ?? 2;
  }

  /**
   * Asks for a token, `attempts` times at most while there is no answer. A token whose answer was lost is held by nobody, and
   * of those that are answered one is ever handed out: to ask again duplicates nothing that anybody has.
   */
  token(form: URLSearchParams, attempts: number): Promise<ObtainedToken | Refused | Unavailable> {
    return this.ask('token', attempts, () => this.client.token(form));
  }

  /** Asks for the device of a cookie, once: whoever asks comes again. */
  record(cookie: string): Promise<RecordAnswer> {
    return this.ask('record', 1, () => this.client.record(cookie));
  }

  private async ask<T extends Outcome>(call: 'token' | 'record', attempts: number, send: () => Promise<T>): Promise<T | Unavailable> {
    const again = retry(handleResultType(Object, isFailure), { maxAttempts: attempts - 1, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 200 }) });
    return again.execute(async () => {
      // Whatever came of it would count for the circuit: as a failure though the provider is well, or as a success though it is not.
      const outcome = this.client.hasTime ? await this.throughCircuit(send) : late;
      this.options.observe?.(call, outcome.kind === 'unavailable' ? (outcome as Unavailable).why : outcome.kind);
      return outcome;
    });
  }

  private async throughCircuit<T extends Outcome>(send: () => Promise<T>): Promise<T | Unavailable> {
    try {
      return await this.circuit.execute(send);
    } catch (error) {
      if (error instanceof BrokenCircuitError || error instanceof TaskCancelledError) return { kind: 'unavailable', why: 'circuit-open' };
      throw error;
    }
  }
}

/** What tells that the provider is not well. That a caller's time was over does not. */
function isFailure(outcome: unknown): boolean {
  return isUnavailable(outcome) && (outcome as Unavailable).why !== 'deadline';
}

function isUnavailable(outcome: unknown): boolean {
  return (outcome as Outcome).kind === 'unavailable';
}
