import { type ErrorCode, errorCodes, isErrorCode, statusesOf } from './error-codes.js';

/** One failed rule of a validated body: `path` as a JSON Pointer (RFC 6901), `message` for people. */
export interface ProblemDetailError {
  readonly path: string;
  readonly message: string;
}

/** An RFC 9457 problem document as Latchkey renders it. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly errors?: readonly ProblemDetailError[];
  readonly requestId?: string;
}

/** What else a problem may say. `status` must be one that the table allows for the code. */
export interface ProblemOptions {
  readonly detail?: string;
  readonly status?: number;
  readonly errors?: readonly ProblemDetailError[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * The one typed error that crosses services. It is thrown at the edges only (controllers and request handlers), carried
 * over the broker as its code and detail, and rendered as a problem document by one filter.
 *
 * `detail` reaches the client: it must not hold secrets, tokens, proofs, cookies or content keys.
 */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly ProblemDetailError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ErrorCode,
    options: ProblemOptions = {},
  ) {
    super(options.detail ?? errorCodes[code].title, { cause: options.cause });
    this.name = 'Problem';
    const status = options.status ?? errorCodes[code].status;
    if (!statusesOf(code).includes(status)) throw new RangeError(`${code} is never answered with ${status}`);
    this.status = status;
    this.detail = options.detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }

  /** The document that a client receives. `requestId` helps support find the log lines of an unknown error. */
  toDocument(requestId?: string): ProblemDocument {
    const errors = this.errors ?? (this.status === 400 ? [{ path: '', message: this.detail ?? errorCodes[this.code].title }] : undefined);
    return {
      type: `urn:latchkey:problem:${this.code}`,
      title: errorCodes[this.code].title,
      status: this.status,
      code: this.code,
      // An unknown error is kept to ourselves; of any other there is always something to say.
      ...(this.code === 'internal' ? {} : { detail: this.detail ?? errorCodes[this.code].title }),
      ...(errors === undefined ? {} : { errors }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  }

  /** The form in which a problem travels between services. */
  toWire(): ProblemWire {
    return { code: this.code, status: this.status, detail: this.detail, errors: this.errors, retryAfterSeconds: this.retryAfterSeconds };
  }

  /** The problem that another service answered; a code that this version does not know becomes `internal`. */
  static fromWire(wire: ProblemWire): Problem {
    if (!isErrorCode(wire.code)) return new Problem('internal', { cause: wire.code });
    const status = statusesOf(wire.code).includes(wire.status) ? wire.status : undefined;
    return new Problem(wire.code, { ...wire, status });
  }
}

/** A problem as one service sends it to another. */
export interface ProblemWire {
  readonly code: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly errors?: readonly ProblemDetailError[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}
