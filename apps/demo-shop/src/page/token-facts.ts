/** What a content token says of itself. It is read to explain a refusal, never to decide anything. */
export interface TokenFacts {
  readonly deviceId: string;
  /** 32 lower-case hex each. */
  readonly kids: readonly string[];
}

/** Reads a content token; undefined where the text is none. */
export function readToken(text: string): TokenFacts | undefined {
  try {
    const claims = JSON.parse(textOf(text.split('.')[1] ?? '')) as { cnf?: { jkt?: unknown }; kids?: unknown };
    const { kids } = claims;
    const deviceId = claims.cnf?.jkt;
    if (typeof deviceId !== 'string' || !Array.isArray(kids)) return undefined;
    return { deviceId, kids: kids.filter((kid): kid is string => typeof kid === 'string') };
  } catch {
    return undefined;
  }
}

function textOf(base64url: string): string {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
