import type { IncomingHttpHeaders } from 'node:http';
import { ShopProblem } from './shop-problem.js';

/** Names of this machine that no resolver decides about. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** What of a request says who sent it. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Throws where a request is not the shop's own page's or a person's. The shop buys for whoever reaches it, so that no other
 * site may: neither by a name that resolves to this machine (DNS rebinding: the `Host` would be theirs), nor by a form or a
 * fetch from there (`Origin`, `Sec-Fetch-Site`). The port may be any: a container's is mapped.
 */
export function refuseForeign({ method, headers }: GuardedRequest, publicHostname: string, isCall: boolean): void {
  const host = headers.host ?? '';
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (!LOOPBACK.has(name) && name !== publicHostname) throw new ShopProblem('foreign-host');
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) throw new ShopProblem('foreign-origin');
  if (!isCall) return;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw new ShopProblem('foreign-origin');
  if (method === 'GET' || method === 'HEAD') return;
  // Every browser sends it with a POST; what comes without is no page.
  if (origin === undefined) throw new ShopProblem('foreign-origin');
  // A form can send anything but this type.
  if (!/^application\/json(?:;|$)/i.test(headers['content-type'] ?? '')) throw new ShopProblem('not-json');
}
