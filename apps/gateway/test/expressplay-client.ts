import type { ExpressPlayEndpoint } from '@latchkey/contracts';

type Values = Readonly<Record<string, string | undefined>>;

/** How a call is made beside its values. */
export interface CallOptions {
  readonly method: string;
  readonly authenticator?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls an endpoint as a merchant's code would: parameters in the query, in a form with POST, members in a JSON body. */
export async function callEndpoint(origin: string, { path, body, parameters }: ExpressPlayEndpoint, values: Values, { method, authenticator, headers }: CallOptions): Promise<Response> {
  const placeOf = (name: string): string => parameters.find((row) => row.name === name)?.place ?? 'parameters';
  const given = Object.entries({ customerAuthenticator: authenticator, ...values }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const at = (place: string): [string, string][] => given.filter(([name]) => placeOf(name) === place);
  const inPath = new Map(at('path'));
  const url = new URL(path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(inPath.get(name) ?? '')), origin);
  const query = new URLSearchParams(at('parameters'));
  const form = method === 'POST' && body === 'form';
  if (!form) url.search = query.toString();
  const members = Object.fromEntries(at('body').map(([name, value]) => [name, /^[0-9]+$/.test(value) && ['version', 'requestType'].includes(name) ? Number(value) : value]));
  const json = !form && body === 'json';
  return fetch(url, {
    method,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(form ? { body: query } : json ? { body: JSON.stringify(members) } : {}),
  });
}

/** What a refusal said in either form, after checking that it is of that form. */
export async function refusalIn(format: 'html' | 'json', response: Response): Promise<{ status: number; code: number; text: string }> {
  const text = await response.text();
  const type = response.headers.get('content-type');
  if (response.headers.get('cache-control') !== 'no-store') throw new Error('a refusal that may be kept');
  if (format === 'json') {
    if (type !== 'application/json; charset=utf-8') throw new Error(`no JSON but ${type}: ${response.status} ${text}`);
    const { errorCode, errorMessage } = JSON.parse(text) as { errorCode: number; errorMessage: string };
    if (errorMessage.length === 0) throw new Error('a refusal without a message');
    return { status: response.status, code: errorCode, text };
  }
  if (type !== 'text/html; charset=utf-8') throw new Error(`no HTML but ${type}: ${response.status} ${text}`);
  const code = /<title>Error (-[0-9]+)<\/title>/.exec(text)?.[1];
  return { status: response.status, code: Number(code), text };
}
