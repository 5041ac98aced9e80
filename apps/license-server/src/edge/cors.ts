/** What of a request CORS goes by. */
export interface CorsRequest {
  readonly method: string;
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method`, which only a preflight has. */
  readonly requestedMethod: string | undefined;
}

/** The CORS headers of an answer, and whether the request was a preflight that they answer in full. */
export interface CorsAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly preflight: boolean;
}

const PREFLIGHT_SECONDS = 7_200;
/** `Date` is how a page whose clock is wrong learns the time that its proofs need. */
const EXPOSED = 'DPoP-Nonce, WWW-Authenticate, Retry-After, Date';
const ALLOWED_HEADERS = 'Authorization, DPoP, Content-Type';

/**
 * CORS (Fetch §3.2) for a path that knows `methods`. No credentials mode: nothing here goes by what a browser adds on
 * its own. An origin that is not listed gets no permission, and the browser keeps the answer from the page.
 */
export function answerCors(origins: ReadonlySet<string>, methods: readonly string[], request: CorsRequest): CorsAnswer {
  const everyone = origins.has('*');
  // Caches must not hand the permission for one origin to another.
  const vary: Record<string, string> = everyone ? {} : { vary: 'Origin' };
  const { origin, requestedMethod } = request;
  const preflight = request.method === 'OPTIONS' && origin !== undefined && requestedMethod !== undefined;
  if (origin === undefined || !(everyone || origins.has(origin))) return { headers: vary, preflight };
  const allowed = { ...vary, 'access-control-allow-origin': everyone ? '*' : origin };
  if (!preflight) return { headers: { ...allowed, 'access-control-expose-headers': EXPOSED }, preflight };
  return {
    headers: {
      ...allowed,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': ALLOWED_HEADERS,
      'access-control-max-age': String(PREFLIGHT_SECONDS),
    },
    preflight,
  };
}
