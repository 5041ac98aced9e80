import { createHash } from 'node:crypto';

/**
 * SHA-256 of a text in base64url: tells whether two requests are the same without keeping them. Not for secrets that can
 * be guessed.
 */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
