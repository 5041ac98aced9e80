/** Why a request's credentials cannot even be looked at. */
export type CredentialsRefusal =
  | 'no-credentials'
  | 'other-scheme'
  | 'bearer-scheme'
  | 'credentials-repeated'
  | 'credentials-malformed'
  | 'proof-repeated';

/** A request as it came over HTTP, before anything in it is believed. */
export interface DeviceRequest {
  /** Every value of every header, not joined: Node keeps the first of two `Authorization` headers without a word. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly query: object;
  readonly body: Uint8Array | undefined;
}

/** The token and the proof that a request carries, as they were sent. `proof` is empty where there is none. */
export type Credentials =
  | { readonly ok: true; readonly token: string; readonly proof: string }
  | { readonly ok: false; readonly reason: CredentialsRefusal };

// RFC 9110 §11.4: scheme, spaces, token68. Schemes are compared without regard to case.
const CREDENTIALS = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?$/;
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The transport half of RFC 9449 §7.1: exactly one credential, of the scheme `DPoP`, and at most one proof. Two of
 * either are refused, also when something on the way has joined them by a comma: whoever reads the other one of two
 * would be guarding another request than this.
 */
export function readCredentials({ headers, query }: Pick<DeviceRequest, 'headers' | 'query'>): Credentials {
  const [authorization = '', ...otherAuthorizations] = headers['authorization'] ?? [];
  const [proof = '', ...otherProofs] = headers['dpop'] ?? [];
  if (otherAuthorizations.length > 0) return refused('credentials-repeated');
  if (otherProofs.length > 0 || proof.includes(',')) return refused('proof-repeated');
  // RFC 6750 §2.3 has tokens in the query, where logs keep them; RFC 9449 does not. Alone it is no credential here.
  if (authorization === '') return refused('no-credentials');
  if ('access_token' in query) return refused('credentials-repeated');

  const [, scheme, rest = ''] = CREDENTIALS.exec(authorization) ?? [];
  if (scheme === undefined) return refused('credentials-malformed');
  const schemeName = scheme.toLowerCase();
  if (schemeName !== 'dpop' && schemeName !== 'bearer') return refused('other-scheme');
  if (!TOKEN68.test(rest)) return refused('credentials-malformed');
  // As a bearer it would be worth something to whoever copied it.
  if (schemeName === 'bearer') return refused('bearer-scheme');
  return { ok: true, token: rest, proof };
}

function refused(reason: CredentialsRefusal): Credentials {
  return { ok: false, reason };
}
