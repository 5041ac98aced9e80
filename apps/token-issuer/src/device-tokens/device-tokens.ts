import { type DeviceToken, type DeviceTokens, rightsOfToken } from '@latchkey/contracts';
import { readToken } from '@latchkey/crypto';

/**
 * How much one answer holds, in characters of its tokens. With what is said of each it stays below the 256 KiB that a
 * message may have: one that is larger would reach nobody, and the device would have no token at all.
 */
export const LISTED_CHARACTERS_MAX = 96 * 1024;

/** How many tokens one answer holds: the registry is asked for the cookie of each, and takes no endless question. */
export const LISTED_TOKENS_MAX = 100;

/** A stored token, read. */
export interface LiveToken {
  readonly cookie: string;
  readonly shown: DeviceToken;
}

/**
 * A stored token as its device collects it, with what the token itself says: the device is told what the licence server
 * will go by. Its purchase alone is told apart from it: that may have come after the token. Undefined for a token that is bound to an asserted id: that somebody's key has such a thumbprint proves
 * nothing of the device that a DRM named so.
 */
export function readStoredToken(token: string, deviceId: string, purchaseId: string | null): LiveToken | undefined {
  const read = readToken(token);
  if (!read.ok || read.kind !== 'content' || read.claims.cnf?.jkt !== deviceId) return undefined;
  const { jti, exp, cookie, content, kids, rights } = read.claims;
  const shown = { token, tokenId: jti, purchaseId: purchaseId ?? undefined, contentId: content, kids: [...kids], rights: rightsOfToken(rights), expiresAt: new Date(exp * 1000).toISOString() };
  return { cookie, shown };
}

/** As many of the tokens as one answer holds, from the first on. */
export function fitIntoAnswer(tokens: readonly DeviceToken[]): DeviceTokens {
  let characters = 0;
  const tooMany = tokens.findIndex(({ token }, index) => {
    characters += token.length;
    return index >= LISTED_TOKENS_MAX || characters > LISTED_CHARACTERS_MAX;
  });
  return tooMany < 0 ? { tokens: [...tokens], more: false } : { tokens: tokens.slice(0, tooMany), more: true };
}
