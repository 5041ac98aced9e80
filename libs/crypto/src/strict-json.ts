import { isUtf8 } from 'node:buffer';

/** Why a text is not JSON as Latchkey takes it. */
export type StrictJsonRefusal = 'not-utf8' | 'bom' | 'too-deep' | 'syntax' | 'duplicate-member' | 'lone-surrogate';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: StrictJsonRefusal };

/** A JSON object whose members have not been looked at. */
export type JsonObject = { readonly [member: string]: unknown };

export interface StrictJsonOptions {
  /** How many objects and arrays may stand inside each other; `{"a":[]}` has depth 2. */
  readonly maxDepth?: number;
}

const MAX_DEPTH_DEFAULT = 32;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Parses JSON (RFC 8259) as I-JSON asks for it (RFC 7493 §2): refuses duplicate members at any level (compared after
 * unescaping, so `"a"` and `"\u0061"` are the same), a byte order mark, bytes that are not UTF-8, lone surrogates
 * (escaped or not), and nesting beyond `maxDepth` (32 by default). Never throws.
 *
 * Two readers that pick different ones of two duplicates would see two different messages under one signature; lone
 * surrogates become the same replacement character in the database, so two different ids would become one.
 *
 * A member called `__proto__` is an ordinary own property of the result and changes no prototype.
 */
export function parseStrictJson(input: string | Uint8Array, options: StrictJsonOptions = {}): StrictJson {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (text === undefined) return { ok: false, reason: 'not-utf8' };
  if (text.charCodeAt(0) === 0xfeff) return { ok: false, reason: 'bom' };

  // The depth is known before anything is built, so that a hostile text costs no more than reading it once.
  const shape = scanShape(text);
  if (shape.depth > (options.maxDepth ?? MAX_DEPTH_DEFAULT)) return { ok: false, reason: 'too-deep' };

  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'syntax' };
  }
  // Of duplicates JSON.parse keeps one, together with what is in it. Hence fewer members in the value than colons in
  // the text means that something was written twice, and no name has to be unescaped and compared by hand.
  if (countMembers(value) !== shape.colons) return { ok: false, reason: 'duplicate-member' };
  if (!text.isWellFormed() || (text.includes('\\u') && !everyStringIsWellFormed(value))) {
    return { ok: false, reason: 'lone-surrogate' };
  }
  return { ok: true, value };
}

/** True for what JSON calls an object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True if `value` has every member of `required`, and none besides these and `optional`. */
export function hasExactMembers(
  value: JsonObject,
  required: readonly string[],
  optional: readonly string[] = [],
): boolean {
  let requiredCount = 0;
  for (const name of Object.keys(value)) {
    if (required.includes(name)) requiredCount += 1;
    else if (!optional.includes(name)) return false;
  }
  return requiredCount === required.length;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Greatest nesting, and number of colons outside strings: in valid JSON, the number of members. */
function scanShape(text: string): { depth: number; colons: number } {
  let depth = 0;
  let depthMost = 0;
  let colons = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
    } else if (code === COLON) {
      colons += 1;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > depthMost) depthMost = depth;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
    }
  }
  return { depth: depthMost, colons };
}

/** Index of the quote that closes the string opened at `start`; the text's length if none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

// Recursion is safe in the two functions below: the depth was checked before.
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item);
    return count;
  }
  for (const member of Object.values(value)) {
    count += 1;
    if (typeof member === 'object') count += countMembers(member);
  }
  return count;
}

function everyStringIsWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(everyStringIsWellFormed);
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && everyStringIsWellFormed(member));
}
