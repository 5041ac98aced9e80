import type { KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.js';
import { ES256_SIGNATURE_BYTES, signEs256 } from './es256.js';
import { isJsonObject, parseStrictJson, type JsonObject } from './strict-json.js';

/** A compact JWS (RFC 7515 §3.1) whose form has been checked, and whose signature has not. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** r‖s, 64 bytes. */
  readonly signature: Buffer;
  /** What the signature covers: the first two parts with their dot, as they were sent. */
  readonly signingInput: string;
}

/** `json` covers everything that `parseStrictJson` refuses, and JSON that is not an object. */
export type JwsRefusal = 'too-large' | 'parts' | 'base64url' | 'json' | 'signature-length';

export type ParsedJws =
  | { readonly ok: true; readonly jws: CompactJws }
  | { readonly ok: false; readonly reason: JwsRefusal };

// A proof's header holds a JWK, a token's claims hold rights: nothing honest nests deeper.
const JSON_DEPTH_MAX = 8;

/**
 * Takes a compact JWS apart: exactly three parts in canonical unpadded base64url, header and payload strict JSON
 * objects, a signature of 64 bytes (ES256 is the only algorithm here), at most `maxBytes` in all. Verifies nothing.
 */
export function parseCompactJws(text: string, { maxBytes }: { maxBytes: number }): ParsedJws {
  // Characters are bytes here: a text that has others is refused for its base64url just below.
  if (text.length > maxBytes) return { ok: false, reason: 'too-large' };
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot === -1 || secondDot === -1 || text.includes('.', secondDot + 1)) return { ok: false, reason: 'parts' };

  const headerBytes = decodeBase64url(text.slice(0, firstDot));
  const payloadBytes = decodeBase64url(text.slice(firstDot + 1, secondDot));
  const signature = decodeBase64url(text.slice(secondDot + 1));
  if (!headerBytes || !payloadBytes || !signature) return { ok: false, reason: 'base64url' };
  if (signature.length !== ES256_SIGNATURE_BYTES) return { ok: false, reason: 'signature-length' };

  const header = parseObject(headerBytes);
  const payload = parseObject(payloadBytes);
  if (!header || !payload) return { ok: false, reason: 'json' };
  return { ok: true, jws: { header, payload, signature, signingInput: text.slice(0, secondDot) } };
}

/** Signs `payload` as a compact JWS with ES256. `header` is sent as given: the caller puts `alg` into it. */
export function signCompactJws(privateKey: KeyObject, header: object, payload: object): string {
  const signingInput = `${encodeJson(header)}.${encodeJson(payload)}`;
  return `${signingInput}.${signEs256(privateKey, signingInput).toString('base64url')}`;
}

function parseObject(bytes: Buffer): JsonObject | undefined {
  const parsed = parseStrictJson(bytes, { maxDepth: JSON_DEPTH_MAX });
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
