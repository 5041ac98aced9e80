/** One HTTP call as the served OpenAPI document describes it. */
export interface DocumentedOperation {
  readonly id: string;
  readonly method: string;
  /** The path with parameters as `{name}`. */
  readonly path: string;
  /** Who may call: a merchant's key (of that scope, where one is named), a device, or everybody. */
  readonly callers: { readonly kind: 'key'; readonly scope: string | undefined } | { readonly kind: 'device' } | { readonly kind: 'everybody' };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string; readonly security?: readonly Readonly<Record<string, readonly string[]>>[] }>>>>;
}

/** Every operation of the document that this server serves. Throws where one says nothing that is known of who may call. */
export async function documentedOperations(origin: string): Promise<readonly DocumentedOperation[]> {
  const document = (await (await fetch(`${origin}/openapi.json`)).json()) as OpenApi;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace', 'query'].includes(method))
      .map(([method, { operationId, security }]) => {
        if (operationId === undefined) throw new Error(`${method} ${path} has no operationId`);
        return { id: operationId, method: method.toUpperCase(), path, callers: callersOf(operationId, security) };
      }),
  );
}

function callersOf(id: string, security: readonly Readonly<Record<string, readonly string[]>>[] | undefined): DocumentedOperation['callers'] {
  if (security?.length === 0) return { kind: 'everybody' };
  const [scheme, more] = security ?? [];
  const [name, scopes] = Object.entries(scheme ?? {})[0] ?? [];
  if (more === undefined && name === 'dpop') return { kind: 'device' };
  if (more === undefined && name === 'apiKey' && scopes!.length <= 1) return { kind: 'key', scope: scopes![0] };
  throw new Error(`${id} says nothing that is known of who may call it`);
}
