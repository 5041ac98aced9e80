import { isConfidential, type ProviderDrm } from './token-providers.js';

/** An answer as it came, read to its end. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why nothing can be said of a request now: it may be asked again unchanged. */
export type Unavailable =
  | { readonly kind: 'unavailable'; readonly why: 'timeout' | 'deadline' | 'network' | 'status' | 'redirect' | 'too-large' | 'malformed' | 'circuit-open'; readonly status?: number };

/** The provider says no. `code` is its error code (-2017, say), or nothing where it names none. No text of it is kept: it may quote what was sent. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: number;
  readonly code?: number;
}

/** A token that was obtained, and where its player redeems it. */
export interface ObtainedToken {
  readonly kind: 'token';
  readonly token: string;
  readonly licenseUrl: string;
}

const TOKEN = /^[\x21-\x7e]{1,8192}$/;
const URL_CHARACTERS_MAX = 2_048;
const malformed: Unavailable = { kind: 'unavailable', why: 'malformed' };

/** Reads the answer to a request for a token: strictly, because what is taken for a token is handed to a customer. */
export function readTokenAnswer(drm: ProviderDrm, answer: RawAnswer): ObtainedToken | Refused | Unavailable {
  if (answer.status !== 200) return readRefusal(answer);
  return (drm === 'pr' ? tokenOfJson(answer.body) : tokenOfUriList(answer.body)) ?? malformed;
}

/** What an answer other than a success comes to. Too many requests, and what took too long, pass by themselves. */
export function readRefusal({ status, body }: RawAnswer): Refused | Unavailable {
  if (status >= 300 && status < 400) return { kind: 'unavailable', why: 'redirect', status };
  if (status < 400 || status >= 500 || status === 408 || status === 429) return { kind: 'unavailable', why: 'status', status };
  return { kind: 'refused', status, code: errorCodeOf(body) };
}

/** Public documents name no shape of errors in JSON: the first number of the form of their codes is the code, in JSON as in HTML. */
function errorCodeOf(body: string): number | undefined {
  const found = /(?:^|[^\w.-])(-[2-9]\d{3})(?![\w.-])/.exec(body);
  return found ? Number(found[1]) : undefined;
}

/** RFC 2483: one URI a line, comments begin with #. */
function tokenOfUriList(body: string): ObtainedToken | undefined {
  const lines = body.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length !== 1) return undefined;
  const url = redemptionUrl(lines[0]!);
  const tokens = url?.searchParams.getAll('ExpressPlayToken') ?? [];
  if (!url || tokens.length !== 1 || !TOKEN.test(tokens[0]!)) return undefined;
  return obtained(tokens[0]!, url);
}

/** Where a token is redeemed may be logged: none stands in it. */
function obtained(token: string, url: URL): ObtainedToken | undefined {
  // Only then: it would spell other parameters anew.
  if (url.searchParams.has('ExpressPlayToken')) url.searchParams.delete('ExpressPlayToken');
  return url.href.length <= URL_CHARACTERS_MAX ? { kind: 'token', token, licenseUrl: url.href } : undefined;
}

function tokenOfJson(body: string): ObtainedToken | undefined {
  const { licenseAcquisitionUrl, token } = (parseJson(body) ?? {}) as { licenseAcquisitionUrl?: unknown; token?: unknown };
  if (typeof licenseAcquisitionUrl !== 'string' || typeof token !== 'string' || !TOKEN.test(token)) return undefined;
  const url = redemptionUrl(licenseAcquisitionUrl);
  return url && obtained(token, url);
}

/** A player sends its token there: never to an address where anybody could read it. */
function redemptionUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return isConfidential(url) && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}

/** JSON, or undefined where it is none: the parser's own message quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
