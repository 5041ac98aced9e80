import type { FeedEvent } from './feed-store.js';

/** How long a client waits before it connects again, in milliseconds: long enough not to storm a gateway that restarts. */
const RETRY_MS = 2_000;

/** What a stream begins with: the client's waiting time, and something to read, so that proxies pass the headers on. */
export const streamPreamble = `retry: ${RETRY_MS}\n\n`;

/** A comment that keeps a quiet stream alive. */
export const heartbeat = ': \n\n';

/** One event as the HTML standard's event stream format writes it (§9.2.5). */
export function serverSentEvent(event: FeedEvent): string {
  const data = event.data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`).join('');
  return `id: ${event.sequence}\nevent: ${event.type}\n${data}\n`;
}
