/** Base64url without padding (RFC 4648 §5, RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * Decodes base64url in its one canonical spelling: no padding, nothing outside the alphabet, no left-over bits in the
 * last character, no length of 1 mod 4. Anything else is `undefined`.
 *
 * Node's decoder is lenient (it skips strange characters and takes both alphabets), so two texts could stand for the
 * same bytes: one key would have many device ids, one token many spellings. Encoding the result again and comparing
 * refuses every spelling but one, whatever the decoder forgives.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
