import type { Latchkey } from './latchkey.js';

/** An answer of the gateway that a helper cannot go on with. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  /** `code` is that of the problem document, where the answer was one. */
  constructor(
    call: string,
    readonly status: number,
    readonly code: string | undefined,
  ) {
    super(`${call} answered ${status}${code === undefined ? '' : ` ${code}`}`);
  }
}

/** A merchant's back end: what the helpers ask the gateway for, with the API key. */
export class MerchantClient {
  constructor(private readonly latchkey: Pick<Latchkey, 'gatewayUrl' | 'apiKey'>) {}

  /** One call; a body is sent as JSON. Resolves to the answer's JSON. Throws `UnexpectedAnswer` unless it was a 2xx. */
  async call<Answer extends object>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.latchkey.gatewayUrl + path, {
      method,
      headers: { authorization: `Bearer ${this.latchkey.apiKey}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = jsonOf(text);
    if (!response.ok) {
      const { code } = answer as { code?: unknown };
      // Not the query: whoever reads the failure needs the call, and paths of ours hold no secret.
      throw new UnexpectedAnswer(`${method} ${path.split('?', 1)[0]}`, response.status, typeof code === 'string' ? code : undefined);
    }
    return answer as Answer;
  }
}

function jsonOf(text: string): object {
  try {
    return (JSON.parse(text) ?? {}) as object;
  } catch {
    return {};
  }
}
