import { problemOfRefusal, ShopProblem } from './shop-problem.js';

/** How long the shop waits for an answer, in milliseconds; long waits for a token are shorter. */
const TIMEOUT_MS = 10_000;

/** A refusal of Latchkey, by the `code` of its problem document. */
export class LatchkeyRefusal extends Error {
  override readonly name = 'LatchkeyRefusal';

  constructor(readonly code: string) {
    super(`Latchkey refused: ${code}`);
  }
}

/** The merchant's side of Latchkey's public HTTP API, as any merchant would write it. It alone knows the API key. */
export class LatchkeyClient {
  constructor(
    private readonly origin: string,
    private readonly apiKey: string,
  ) {}

  /** One call, a POST where there is a body. Throws a `LatchkeyRefusal`, or `unavailable` where no answer comes. */
  async call<T>(path: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
    const response = await fetch(this.origin + path, {
      method,
      headers: { ...this.credentials(), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new ShopProblem('unavailable', { cause });
    });
    const answer = await response.text();
    const json = answer === '' ? {} : (JSON.parse(answer) as { code?: string });
    if (!response.ok) throw new LatchkeyRefusal(json.code ?? 'unavailable');
    return json as T;
  }

  /** The same, undefined where it is refused with one of these codes. */
  async callUnless<T>(codes: readonly string[], path: string): Promise<T | undefined> {
    return this.call<T>(path).catch((error: unknown) => {
      if (error instanceof LatchkeyRefusal && codes.includes(error.code)) return undefined;
      throw error;
    });
  }

  /** The merchant's event stream, from after an event where one is named. Ends when the signal says so. */
  async events(lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = { ...this.credentials(), ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const response = await fetch(`${this.origin}/v1/events`, { headers, signal }).catch((cause: unknown) => {
      throw new ShopProblem('unavailable', { cause });
    });
    if (!response.ok || response.body === null) throw new ShopProblem('unavailable');
    return response.body;
  }

  private credentials(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.apiKey}` };
  }
}

/** What a viewer is told of an error. */
export function problemOf(error: unknown): ShopProblem | undefined {
  if (error instanceof ShopProblem) return error;
  return error instanceof LatchkeyRefusal ? problemOfRefusal(error.code) : undefined;
}
