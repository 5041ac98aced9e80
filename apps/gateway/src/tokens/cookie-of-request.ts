/** The places of a request in which a cookie may stand. */
export interface CookiePlaces {
  readonly body: string | undefined;
  readonly query: string | undefined;
  readonly header: string | undefined;
}

/**
 * The one cookie of a request, or why there is none. Two that differ are refused and neither is preferred: a proxy that
 * adds its own would otherwise decide silently whose device is bound.
 */
export function cookieOf({ body, query, header }: CookiePlaces): { readonly cookie: string } | { readonly refusal: string } {
  const given = new Set([body, query, header].filter((cookie) => cookie !== undefined));
  if (given.size > 1) return { refusal: 'the request names two cookies that differ' };
  const [cookie] = given;
  return cookie === undefined ? { refusal: 'the request names no cookie, in its body, its query or X-Latchkey-Cookie' } : { cookie };
}
