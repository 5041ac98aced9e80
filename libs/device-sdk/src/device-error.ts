/** What the viewer, or the app on the viewer's behalf, can do next. */
export type DeviceAction =
  | 'register-again'
  | 'fetch-new-token'
  | 'wait'
  | 'use-bound-device'
  | 'buy-again'
  | 'try-again-later'
  | 'contact-support';

const actions: Readonly<Record<string, DeviceAction>> = {
  'invalid-token': 'fetch-new-token',
  'kid-not-in-token': 'fetch-new-token',
  'rental-not-started': 'wait',
  'rental-expired': 'buy-again',
  'cookie-bound-elsewhere': 'use-bound-device',
  'use-dpop-nonce': 'try-again-later',
  'rate-limited': 'try-again-later',
  internal: 'try-again-later',
  unavailable: 'try-again-later',
  network: 'try-again-later',
};

/** What a `DeviceError` is made of. */
export interface DeviceErrorParts {
  readonly code: string;
  readonly detail: string;
  /** In place of what the code alone says. */
  readonly action?: DeviceAction;
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * The one error of this library. `code` is stable: the `code` of the problem document that the licence server answered, or
 * one of this library's own: `network` (no answer came), `unexpected-answer` (it was none of a licence server),
 * `key-unusable` (the store failed), `no-web-crypto`, `no-license-url`. A code that this version does not know asks for support.
 */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: string;
  /** What the viewer can do next. */
  readonly action: DeviceAction;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** How long the server asked to wait, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor({ code, detail, action, status, retryAfterSeconds, cause }: DeviceErrorParts) {
    super(detail, { cause });
    this.code = code;
    this.action = action ?? (Object.hasOwn(actions, code) ? actions[code]! : 'contact-support');
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
