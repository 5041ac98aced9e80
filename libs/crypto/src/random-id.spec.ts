import { describe, expect, it } from '@jest/globals';
import { newCookie, newId } from './random-id.js';

describe('newCookie', () => {
  it('fits 32 characters, holds at least 128 bits and never repeats', () => {
    const cookies = Array.from({ length: 1_000 }, newCookie);
    expect(new Set(cookies).size).toBe(1_000);
    for (const cookie of cookies) expect(cookie).toMatch(/^[A-Za-z0-9_-]{22,32}$/);
  });
});

describe('newId', () => {
  it('has its prefix and never repeats', () => {
    const ids = Array.from({ length: 1_000 }, () => newId('tok'));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^tok_[A-Za-z0-9_-]{22}$/);
  });
});
