/** Bytes as unpadded base64url (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** A text as base64url of its UTF-8. */
export function textToBase64url(text: string): string {
  return toBase64url(new TextEncoder().encode(text));
}

/** The text whose UTF-8 this is; undefined where it is none. */
export function textFromBase64url(encoded: string): string | undefined {
  try {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** A kid as licence requests write it. Merchants name kids in 32 hex digits; what is no such name is passed on as it is. */
export function kidToBase64url(kid: string): string {
  if (!/^[0-9a-f]{32}$/i.test(kid)) return kid;
  return toBase64url(Uint8Array.from(kid.match(/../g)!, (digits) => Number.parseInt(digits, 16)));
}
