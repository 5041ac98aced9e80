import { describe, expect, it } from '@jest/globals';
import { hasExactMembers, parseStrictJson } from './strict-json.js';

describe('parseStrictJson', () => {
  it.each([
    '{}',
    ' [1, -2.5e3, true, false, null, "a:b\\"c\\\\"] ',
    '{"a":{"a":[{"a":1},{"a":2}]},"b":":::{{{[[["}',
    '{"\\u0061":1,"A":2,"":3,"\\\\":4,"\\"":5}',
    '"just a string"',
    '{"emoji":"\\ud83d\\ude00","text":"😀"}',
    '{"1":1,"0":2,"length":3,"constructor":4,"toString":5}',
  ])('reads %s as JSON.parse does', (text) => {
    const expected = { ok: true, value: JSON.parse(text) as unknown };
    expect(parseStrictJson(text)).toEqual(expected);
    expect(parseStrictJson(Buffer.from(text))).toEqual(expected);
  });

  it.each([
    ['a duplicate', '{"a":1,"a":1}', '{"a":1,"b":1}', 'duplicate-member'],
    ['an escaped duplicate', '{"a":1,"\\u0061":1}', '{"a":1,"\\u0062":1}', 'duplicate-member'],
    ['a duplicate deep inside', '[{"x":[{"a":1,"a":2}]}]', '[{"x":[{"a":1,"b":2}]}]', 'duplicate-member'],
    ['a duplicate that hides members', '{"a":{"b":1,"c":2},"a":3}', '{"a":{"b":1,"c":2},"d":3}', 'duplicate-member'],
    ['a duplicate of the empty name', '{"":1,"":1}', '{"":1," ":1}', 'duplicate-member'],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":1}', '{"__proto__":1}', 'duplicate-member'],
    ['a duplicate after a string with colons', '{"a":":","a":""}', '{"a":":","b":""}', 'duplicate-member'],
    ['a duplicate after an escaped quote', '{"a":"\\":","a":""}', '{"a":"\\":","b":""}', 'duplicate-member'],
    ['a duplicate number-like name', '{"1":1,"1":1}', '{"1":1,"01":1}', 'duplicate-member'],
    ['a byte order mark', '\ufeff{}', '{}', 'bom'],
    ['a lone high surrogate, escaped', '{"a":"\\ud83d"}', '{"a":"\\ud83d\\ude00"}', 'lone-surrogate'],
    ['a lone low surrogate in a name', '{"\\ude00":1}', '{"\\u00de":1}', 'lone-surrogate'],
    ['a lone surrogate in an array', '["\\udead"]', '["\\u0ead"]', 'lone-surrogate'],
    ['a lone surrogate, raw', '"\ud83d"', '"\ud83d\ude00"', 'lone-surrogate'],
    ['no text at all', '', '0', 'syntax'],
    ['a trailing comma', '{"a":1,}', '{"a":1}', 'syntax'],
    ['a comment', '{/**/}', '{}', 'syntax'],
    ['single quotes', "{'a':1}", '{"a":1}', 'syntax'],
    ['a leading zero', '[01]', '[1]', 'syntax'],
    ['NaN', '[NaN]', '[0]', 'syntax'],
    ['two values', '{} {}', '{}', 'syntax'],
    ['a string without end', '{"a":"', '{"a":""}', 'syntax'],
    ['a control character in a string', '"\t"', '"\\t"', 'syntax'],
    ['more closing than opening', '[]]', '[[]]', 'syntax'],
  ])('refuses %s', (_, bad, twin, reason) => {
    expect(parseStrictJson(twin)).toMatchObject({ ok: true });
    expect(parseStrictJson(bad)).toEqual({ ok: false, reason });
  });

  it.each([
    ['a byte of Latin-1', [0x22, 0xe9, 0x22], [0x22, 0xc3, 0xa9, 0x22], 'not-utf8'],
    ['an overlong form', [0x22, 0xc1, 0xa1, 0x22], [0x22, 0x61, 0x22], 'not-utf8'],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xed, 0x9f, 0xbf, 0x22], 'not-utf8'],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x30], [0x30], 'bom'],
  ])('refuses bytes with %s', (_, bad, twin, reason) => {
    expect(parseStrictJson(Uint8Array.from(twin))).toMatchObject({ ok: true });
    expect(parseStrictJson(Uint8Array.from(bad))).toEqual({ ok: false, reason });
  });

  it('counts objects and arrays alike against the depth, and brackets in strings not at all', () => {
    expect(parseStrictJson('{"a":[{}]}', { maxDepth: 3 })).toMatchObject({ ok: true });
    expect(parseStrictJson('{"a":[{}]}', { maxDepth: 2 })).toEqual({ ok: false, reason: 'too-deep' });
    expect(parseStrictJson('{"a":"[{[{"}', { maxDepth: 1 })).toMatchObject({ ok: true });
    expect(parseStrictJson('['.repeat(32) + ']'.repeat(32))).toMatchObject({ ok: true });
    expect(parseStrictJson('['.repeat(33) + ']'.repeat(33))).toEqual({ ok: false, reason: 'too-deep' });
  });

  it('answers a quarter megabyte of brackets, quotes or backslashes without a stack or a pause', () => {
    const startedAt = performance.now();
    for (const hostile of ['[', '{"a":', '"', '\\"', '"\\', '[]', ':']) {
      expect(parseStrictJson(hostile.repeat(262_144 / hostile.length))).toMatchObject({ ok: false });
    }
    expect(parseStrictJson(`"${'\\\\'.repeat(131_000)}"`)).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('makes __proto__ a member like any other', () => {
    const parsed = parseStrictJson('{"__proto__":{"admin":true}}');
    if (!parsed.ok) throw new Error(parsed.reason);
    const value = parsed.value as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['admin']).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });
});

describe('hasExactMembers', () => {
  it('wants every required member, allows the optional ones and no other', () => {
    expect(hasExactMembers({ a: 1, b: undefined }, ['a', 'b'])).toBe(true);
    expect(hasExactMembers({ a: 1 }, ['a', 'b'])).toBe(false);
    expect(hasExactMembers({ a: 1, b: 1, c: 1 }, ['a', 'b'])).toBe(false);
    expect(hasExactMembers({ a: 1, c: 1 }, ['a', 'b'], ['c'])).toBe(false);
    expect(hasExactMembers({ a: 1, c: 1 }, ['a'], ['b', 'c'])).toBe(true);
    expect(hasExactMembers({}, ['toString'])).toBe(false);
  });
});
