import type { LookupAddress } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { DeliveryFailure } from '@latchkey/contracts';
import type { Reach } from './address-rules.js';
import type { ResolveHost } from './resolve-host.js';
import { readRetryAfter } from './retry-schedule.js';
import { addressRefusal, hostOf } from './url-rules.js';

/** What became of one attempt: an answer, whatever it says, or why there was none. */
export type AttemptOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: 'unanswered'; readonly failure: DeliveryFailure }
  /** We broke off, because the gateway stops: it says nothing about the receiver. */
  | { readonly kind: 'interrupted' };

/** A message to post. */
export interface WebhookRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How messages may go out. */
export interface Network {
  readonly reach: Reach;
  /** For everything, from the look-up of the name to the end of the answer. */
  readonly timeoutMs: number;
  readonly resolve: ResolveHost;
  /** Aborted when the gateway stops. */
  readonly stopping: AbortSignal;
}

/** Of an answer the status counts. Its body is taken up to here, so that an ordinary receiver sees its answer end well. */
const ANSWER_BYTES_MAX = 16 * 1024;

/**
 * Posts once. The name is looked up once, every address is judged, and the connection goes to those very addresses: a name
 * that stands for another address a moment later changes nothing. Redirects are not followed and no answer's body is kept,
 * so that nobody can have us fetch for them what only we can reach. Never rejects.
 */
export async function postWebhook(request: WebhookRequest, network: Network): Promise<AttemptOutcome> {
  // Of its own, and let go of in the end: the signal of the stop lives as long as the gateway, and what hangs on it with it.
  const attempt = new AbortController();
  const { signal } = attempt;
  const breakOff = (): void => attempt.abort();
  network.stopping.addEventListener('abort', breakOff);
  if (network.stopping.aborted) breakOff();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    breakOff();
  }, network.timeoutMs);
  try {
    const addresses = await untilAborted(addressesOf(request.url, network.resolve), signal);
    const refusal = addressRefusal(request.url, addresses.map(({ address }) => address), network.reach);
    return refusal === undefined ? await send(request, addresses, signal) : { kind: 'unanswered', failure: refusal };
  } catch (error) {
    if (network.stopping.aborted) return { kind: 'interrupted' };
    return { kind: 'unanswered', failure: timedOut ? 'timeout' : failureOf(error) };
  } finally {
    clearTimeout(timer);
    network.stopping.removeEventListener('abort', breakOff);
  }
}

async function addressesOf(url: URL, resolve: ResolveHost): Promise<readonly LookupAddress[]> {
  const host = hostOf(url);
  const family = isIP(host);
  return family === 0 ? resolve(host) : [{ address: host, family }];
}

/** A look-up cannot be called off; what it finds later is nobody's. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

function send({ url, headers, body }: WebhookRequest, addresses: readonly LookupAddress[], signal: AbortSignal): Promise<AttemptOutcome> {
  const host = hostOf(url);
  const options = {
    method: 'POST',
    host,
    port: url.port || (url.protocol === 'https:' ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup: alwaysTo(addresses),
    agent: false as const,
    signal,
  };
  const sending = url.protocol === 'https:' ? requestHttps({ ...options, servername: isIP(host) === 0 ? host.replace(/\.$/, '') : '' }) : requestHttp(options);
  return new Promise((resolve, reject) => {
    sending.on('error', reject);
    sending.once('close', () => reject(new Error('the connection closed without an answer')));
    sending.once('response', (response) => resolve(answerOf(response)));
    sending.end(body);
  });
}

/** In place of a look-up: whoever connects gets what was judged. */
function alwaysTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_name, { all }, callback) => (all ? callback(null, [...addresses]) : callback(null, addresses[0]!.address, addresses[0]!.family));
}

/** The answer, as soon as it is over, or too long, or takes too long: the status that was said counts all the same. */
function answerOf(response: IncomingMessage): Promise<AttemptOutcome> {
  return new Promise((resolve) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) response.destroy();
    });
    response.on('error', () => undefined);
    response.once('close', () => {
      const retryAfter = response.headers['retry-after'];
      resolve({ kind: 'answered', status: response.statusCode!, retryAfterSeconds: readRetryAfter(retryAfter, Date.now()) });
    });
  });
}

const nameErrors: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'EBADNAME', 'EBADRESP', 'EFORMERR', 'ENOTIMP']);
/** OpenSSL's reasons for not trusting a certificate, Node's own, and failed handshakes. */
const tlsError = /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_)/;

function failureOf(error: unknown): DeliveryFailure {
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (nameErrors.has(code)) return 'name-unknown';
  return tlsError.test(code) ? 'tls' : 'connection';
}
