import { remainingMs } from '@latchkey/messaging';
import type { TokenProvider } from './token-providers.js';
import { type ObtainedToken, type RawAnswer, readTokenAnswer, type Refused, type Unavailable } from './upstream-answer.js';
import { type RecordAnswer, readRecordAnswer } from './upstream-record.js';

/** An answer that is larger is none of those that are known: read on, it would fill our memory. */
const ANSWER_BYTES_MAX = 256 * 1024;

/** Who is given less than this and does not answer may be as well as ever: it was we who were late. */
const TELLING_MS = 1_000;

type Attempt = RawAnswer | Unavailable;

/**
 * One provider, asked over HTTP: one request for one call, whose outcome is a value. Nothing that is thrown by the network
 * leaves here, because such errors carry URLs, and the URL of a record carries the credential.
 */
export class ExpressPlayClient {
  constructor(readonly provider: TokenProvider) {}

  /** Whether whoever asks still listens for so long that no answer would mean something. */
  get hasTime(): boolean {
    return this.limitMs >= this.tellingMs;
  }

  /** Asks for a token. As a POST, so that neither the credential nor the content key stands in a URL. */
  async token(form: URLSearchParams): Promise<ObtainedToken | Refused | Unavailable> {
    const answer = await this.send(this.provider.tokenUrl, { method: 'POST', body: form });
    return 'kind' in answer ? answer : readTokenAnswer(this.provider.drm, answer);
  }

  /** Asks for the records of a cookie. The reference takes it as a GET alone. */
  async record(cookie: string): Promise<RecordAnswer> {
    const url = new URL(this.provider.recordUrl);
    url.search = new URLSearchParams({ customerAuthenticator: this.provider.customerAuthenticator, cookie, errorFormat: 'json' }).toString();
    const answer = await this.send(url, { method: 'GET' });
    return 'kind' in answer ? answer : readRecordAnswer(this.provider.drm, cookie, answer);
  }

  private get tellingMs(): number {
    return Math.min(this.provider.timeoutMs, TELLING_MS);
  }

  /** One time limit for all of it: connecting, waiting and reading. Whoever asked us sets another. */
  private get limitMs(): number {
    const { timeoutMs } = this.provider;
    return Math.max(1, Math.min(timeoutMs, remainingMs() ?? timeoutMs));
  }

  private async send(url: URL, init: RequestInit): Promise<Attempt> {
    const { limitMs } = this;
    const signal = AbortSignal.timeout(limitMs);
    try {
      // A redirect is not followed: it would take the credential wherever it points.
      const response = await fetch(url, { ...init, signal, redirect: 'manual', headers: { accept: 'application/json, text/uri-list' } });
      const body = await readBody(response);
      return body === undefined ? { kind: 'unavailable', why: 'too-large', status: response.status } : { status: response.status, body };
    } catch {
      return { kind: 'unavailable', why: !signal.aborted ? 'network' : limitMs < this.tellingMs ? 'deadline' : 'timeout' };
    }
  }
}

/** The body as text, or undefined where it is larger than any answer that is known; the rest is then not waited for. */
async function readBody(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
