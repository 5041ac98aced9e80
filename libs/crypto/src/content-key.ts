import { randomBytes } from 'node:crypto';
import { CONTENT_KEY_BYTES } from './key-ring.js';

/** A content key that nobody had before. */
export function newContentKey(): Buffer {
  return randomBytes(CONTENT_KEY_BYTES);
}
