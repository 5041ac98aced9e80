/** 16 random bytes in hex: the form of kids and content keys, and unique enough for a name. */
export function randomHex(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
