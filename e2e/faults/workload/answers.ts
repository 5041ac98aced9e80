import type { FakeLicenseAnswer } from '@latchkey/kits';
import type { Outcome } from '../history.js';

/** Longer than the longest wait for a token that actors ask for. */
const GATEWAY_TIMEOUT_MS = 15_000;

/** An answer of the gateway. */
export interface GatewayAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One call to the gateway. Rejects where no whole answer came in time. */
export async function callGateway(
  url: string,
  apiKey: string,
  { method, body, headers }: { readonly method: string; readonly body?: Record<string, unknown>; readonly headers?: Record<string, string> },
): Promise<GatewayAnswer> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(GATEWAY_TIMEOUT_MS),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** What an answer says of its operation: of a 5xx or a 429 nobody knows what was done. */
export function outcomeOf({ status, body }: GatewayAnswer, kept: readonly string[]): Outcome {
  const code = typeof body['code'] === 'string' ? body['code'] : '';
  if (status >= 500 || status === 429) return { kind: 'unknown', why: `${status} ${code}` };
  if (status >= 400) return { kind: 'refused', status, code };
  return { kind: 'ok', value: Object.fromEntries(kept.filter((name) => body[name] !== undefined).map((name) => [name, body[name]])) };
}

/** The same for a device's answer. How many keys came is kept, the keys are not. */
export function outcomeOfLicense({ status, body }: FakeLicenseAnswer): Outcome {
  if (status === 200) return { kind: 'ok', value: { keys: body.keys?.length ?? 0 } };
  return outcomeOf({ status, body: body ?? {} }, []);
}
