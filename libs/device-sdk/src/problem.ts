import { type DeviceAction, DeviceError } from './device-error.js';
import { readRetryAfter } from './retry.js';

/** What an answer says of itself, as far as a refusal is read from it. */
export interface RefusedAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
}

/** The refusal that an answer is: a problem document (RFC 9457), or whatever something on the way has put in its place. */
export function errorOfAnswer({ status, body, retryAfter }: RefusedAnswer, actions: Readonly<Record<string, DeviceAction>> = {}): DeviceError {
  const { code, detail, title } = readProblem(body);
  const retryAfterSeconds = readRetryAfter(retryAfter);
  if (typeof code !== 'string') {
    const action = status >= 500 || status === 429 ? 'try-again-later' : undefined;
    return new DeviceError({ code: 'unexpected-answer', detail: `the licence server answered ${status}`, action, status, retryAfterSeconds });
  }
  const said = [detail, title].find((text) => typeof text === 'string') ?? code;
  return new DeviceError({ code, detail: said, action: Object.hasOwn(actions, code) ? actions[code] : undefined, status, retryAfterSeconds });
}

function readProblem(body: string): { readonly code?: unknown; readonly detail?: unknown; readonly title?: unknown } {
  try {
    return (JSON.parse(body) ?? {}) as object;
  } catch {
    return {};
  }
}
