import { DeviceError, type DeviceAction } from './device-error.js';
import type { DeviceKey } from './device-key.js';
import type { Fetch } from './fetch.js';
import { NonceKeeper } from './nonce-keeper.js';
import { errorOfAnswer } from './problem.js';
import { makeProof } from './proof.js';
import { waitMsBefore } from './retry.js';
import { ServerClock } from './server-clock.js';

/** A request that the device's key stands behind. */
export interface ProvenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly accessToken: string;
  readonly body?: string;
  /** What the viewer can do about a code where that depends on what was asked. */
  readonly actions?: Readonly<Record<string, DeviceAction>>;
}

/** What the client does not do itself, so that tests can. */
export interface ClientParts {
  readonly fetch: Fetch;
  readonly clock?: ServerClock;
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  /** Whether the answer brought a nonce that differs from the one of the proof. */
  readonly newNonce: boolean;
  /** Whether the clock was found to be wrong by it. */
  readonly clockMoved: boolean;
}

/** Sends requests with a fresh proof each, and knows which of its refusals are worth another attempt. */
export class DeviceClient {
  readonly nonces = new NonceKeeper();
  readonly clock: ServerClock;
  private readonly fetch: Fetch;
  private readonly sleep: (ms: number) => Promise<void>;

  constructor(
    private readonly key: DeviceKey,
    { fetch, clock = new ServerClock(), sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }: ClientParts,
  ) {
    this.fetch = fetch;
    this.clock = clock;
    this.sleep = sleep;
  }

  /** A proof for one request, with the last nonce. */
  proof(request: Pick<ProvenRequest, 'url' | 'accessToken'> & { readonly method: string }): Promise<string> {
    return makeProof(this.key, { ...request, nonce: this.nonces.last, nowSeconds: this.clock.nowSeconds() });
  }

  /** Sees to it that the next proof has a nonce that the server takes, and the server's time. */
  async freshen({ method, url }: Pick<ProvenRequest, 'url' | 'method'>): Promise<void> {
    if (!this.nonces.isFresh(this.clock.localMs())) await this.once({ method, url, headers: {} });
  }

  /** Sends the request; resolves to the answer's text, rejects with a `DeviceError`. */
  async send(request: ProvenRequest): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.prove(request);
      if (typeof outcome === 'string') return outcome;
      const transient = outcome.code === 'network' || outcome.status === 503 || outcome.status === 429;
      const waitMs = transient ? waitMsBefore(attempt, outcome.retryAfterSeconds, Math.random()) : undefined;
      if (waitMs === undefined) throw outcome;
      await this.sleep(waitMs);
    }
  }

  /**
   * Once, and once more where the first answer itself says what was wrong with the proof: the nonce that it wants, or the
   * time that it has. Each proof is made anew: one that was sent may have been used, whether or not an answer came.
   */
  private async prove(request: ProvenRequest): Promise<string | DeviceError> {
    for (const last of [false, true]) {
      const answer = await this.sendProven(request);
      if (answer instanceof DeviceError) return answer;
      if (answer.status >= 200 && answer.status < 300) return answer.body;
      const refusal = errorOfAnswer(answer, request.actions);
      const mended = (refusal.code === 'use-dpop-nonce' && answer.newNonce) || (refusal.code === 'invalid-dpop-proof' && answer.clockMoved);
      if (last || !mended) return refusal;
    }
    throw new Error('not reached');
  }

  private async sendProven({ method, url, accessToken, body }: ProvenRequest): Promise<Answer | DeviceError> {
    const proof = await this.proof({ method, url, accessToken });
    const headers: Record<string, string> = { Authorization: `DPoP ${accessToken}`, DPoP: proof };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    return this.once({ method, url, body, headers });
  }

  private async once({ method, url, headers, body }: { method: string; url: string; headers: Record<string, string>; body?: string }): Promise<Answer | DeviceError> {
    const nonceBefore = this.nonces.last;
    const sentMs = this.clock.localMs();
    try {
      const response = await this.fetch(url, { method, headers, cache: 'no-store', ...(body === undefined ? {} : { body }) });
      const clockMoved = this.learn((name) => response.headers.get(name), sentMs);
      const text = await response.text();
      return { status: response.status, body: text, retryAfter: response.headers.get('Retry-After'), newNonce: this.nonces.last !== nonceBefore, clockMoved };
    } catch (cause) {
      return new DeviceError({ code: 'network', detail: 'the licence server did not answer', cause });
    }
  }

  /** Learns nonce and time from the headers of an answer; whether the clock was found to be wrong. */
  learn(header: (name: string) => string | null | undefined, sentMs: number): boolean {
    const receivedMs = this.clock.localMs();
    this.nonces.keep(header('DPoP-Nonce'), receivedMs);
    return this.clock.learn(header('Date'), sentMs, receivedMs);
  }
}
