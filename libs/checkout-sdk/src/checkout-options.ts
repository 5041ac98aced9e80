import type { ConnectionOptions } from 'node:tls';

/** What a checkout connects with. */
export interface CheckoutOptions {
  /** `amqp:` or `amqps:` URL of the broker, with the checkout's user and password; the path is the virtual host. */
  readonly url: string;
  /** Whose purchases these are. Left out, the user's name says it: `checkout-<merchantId>`. */
  readonly merchantId?: string;
  /** What the checkout calls itself in its events: a URI reference, the same for ever. `/checkout` unless given. */
  readonly source?: string;
  /** The broker user, where it is not the URL's: with OAuth 2 the token, which is the password, says who it is. */
  readonly user?: string;
  /** How long a publication may take from call to answer, and the first connection too, in milliseconds. 10,000 unless given. */
  readonly timeoutMs?: number;
  /** How many publications may be without an answer; further ones are `not-sent` at once. 1,000 unless given. */
  readonly pendingMax?: number;
  /** For `amqps:`: `ca`, `cert`, `key` and whatever else Node's `tls.connect` takes. */
  readonly tls?: ConnectionOptions;
}
