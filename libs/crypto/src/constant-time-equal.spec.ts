import { describe, expect, it } from '@jest/globals';
import { constantTimeEqual } from './constant-time-equal.js';

describe('constantTimeEqual', () => {
  it.each([
    ['', '', true],
    ['00', '00', true],
    ['0102', '0102', true],
    ['0102', '0103', false],
    ['0102', '0202', false],
    ['0102', '01', false],
    ['', '00', false],
  ])('of %j and %j is %j, whichever comes first', (one, other, expected) => {
    const [left, right] = [Buffer.from(one, 'hex'), new Uint8Array(Buffer.from(other, 'hex'))];
    expect([constantTimeEqual(left, right), constantTimeEqual(right, left)]).toEqual([expected, expected]);
  });
});
