import { checkProofForm } from '@latchkey/crypto';
import type { Fetch } from '../src/index.js';

/** One request as the server received it. */
export interface Received {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Claims of its proof; none where it has no good one. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the server answers next: a status with body and headers, or that nobody answers. */
export type Scripted = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> } | 'away';

/** A `fetch` that answers what the script says, one after the other, and keeps what it received. */
export function scriptedServer(...script: Scripted[]): { readonly fetch: Fetch; readonly received: Received[] } {
  const received: Received[] = [];
  const fetch: Fetch = async (url, { method, headers, body }) => {
    const form = checkProofForm(headers['DPoP'] ?? '');
    received.push({ url, method, headers, body, claims: form.ok ? form.proof.claims : {} });
    const answer = script.shift();
    if (answer === undefined) throw new Error('the script is over');
    if (answer === 'away') throw new TypeError('fetch failed');
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status, headers: answer.headers });
  };
  return { fetch, received };
}

/** A problem document, as far as clients read it. */
export const refusal = (status: number, code: string, headers: Record<string, string> = {}): Scripted => ({ status, body: { code, title: code }, headers });
