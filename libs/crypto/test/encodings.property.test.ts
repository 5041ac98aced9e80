import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { decodeBase64url, encodeBase64url } from '../src/base64url.js';
import { parseStrictJson } from '../src/strict-json.js';
import { holds, mutationsOf } from './holds.js';

describe('base64url', () => {
  /** RFC 4648 §3.5 and §5 as a pattern: whole groups of four, then none, two or three characters that leave no bits over. */
  const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

  it('decodes what the pattern allows, and nothing else', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
    const texts = fc.oneof(
      bytes.map((each) => each.toString('base64url')),
      bytes.map((each) => each.toString('base64')),
      bytes.chain((each) => mutationsOf(each.toString('base64url'))),
      fc.string({ unit: fc.constantFrom(...'AQgwBE8-_=+/ ') }),
      fc.string(),
    );
    holds(
      fc.property(texts, (text) => {
        const decoded = decodeBase64url(text);
        expect(decoded !== undefined).toBe(CANONICAL.test(text) && !text.endsWith('\n'));
        if (decoded) expect([encodeBase64url(decoded), decoded]).toEqual([text, Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64')]);
      }),
      2_000,
    );
  });
});

/** Whether a text can go through UTF-8, which has no lone surrogates, and come back. */
const survives = (text: string): boolean => Buffer.from(text).toString() === text;

/** Every token of JSON; white space is what is left. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gu;

/**
 * I-JSON read in another way than by counting: token by token, with the names of every open object in hand. Leaves it to
 * `JSON.parse` what the grammar is.
 */
function readByTokens(text: string, maxDepth: number): { value: unknown } | undefined {
  try {
    JSON.parse(text, (each, member: unknown) => {
      if (!survives(each) || (typeof member === 'string' && !survives(member))) throw new SyntaxError('a lone surrogate');
      return member;
    });
  } catch {
    return undefined;
  }
  if (!survives(text)) return undefined;
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.match(TOKEN) ?? [];
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    if (open.length > maxDepth) return undefined;
    if (token === '}' || token === ']') open.pop();
    if (tokens[index + 1] !== ':' || !token.startsWith('"')) continue;
    const name = JSON.parse(token) as string;
    const names = open.at(-1);
    if (names?.has(name)) return undefined;
    names?.add(name);
  }
  return { value: JSON.parse(text) };
}

/** JSON as a writer with bad habits writes it: names twice, escaped or not, white space, any nesting. */
const name = fc.constantFrom('a', 'b', '\\u0061', '', '__proto__', '\\"', ':', 'a\\\\', '\\ud83d\\ude00', '\\ud83d', '1', '01');
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.constantFrom('1', '-0', '1e400', '""', '"a"', '":{"', '"\\""', '"\\\\"', '"\\u0000"', '"\\ude00"', 'null', 'true', '[]', '{}', ' 2 '),
    fc.array(fc.tuple(name, tie('json')), { maxLength: 4 }).map((members) => `{${members.map(([each, value]) => `"${each}" :${value}`).join(',')}}`),
    fc.array(tie('json'), { maxLength: 3 }).map((items) => `[ ${items.join(', ')}]`),
  ),
}));

describe('strict JSON', () => {
  it('reads what a reader of tokens reads, and to the same value', () => {
    const texts = fc.oneof(json, json.chain(mutationsOf), fc.json().chain(mutationsOf), fc.string({ unit: fc.constantFrom(...'{}[]":,\\a1 \ufeff') }));
    holds(
      fc.property(texts, fc.constantFrom(2, 4, 32), (text, maxDepth) => {
        const parsed = parseStrictJson(text, { maxDepth });
        const second = readByTokens(text, maxDepth);
        expect(parsed.ok).toBe(second !== undefined);
        if (parsed.ok) expect(parsed.value).toEqual(second?.value);
      }),
      2_500,
    );
  });

  it('reads bytes as it reads the text that they are, and refuses bytes that are none', () => {
    const mutated = json.chain((text) => fc.tuple(fc.constant(Buffer.from(text)), fc.nat(), fc.nat({ max: 255 }))).map(([bytes, at, byte]) => {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) changed[at % changed.length] = byte;
      return changed;
    });
    holds(
      fc.property(fc.oneof(mutated, fc.uint8Array().map((bytes) => Buffer.from(bytes))), (bytes) => {
        let text: string | undefined;
        try {
          text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        } catch {
          expect(parseStrictJson(bytes)).toEqual({ ok: false, reason: 'not-utf8' });
          return;
        }
        expect(parseStrictJson(bytes)).toEqual(parseStrictJson(text));
      }),
      1_500,
    );
  });
});
