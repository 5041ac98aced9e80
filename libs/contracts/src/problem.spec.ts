import { describe, expect, it } from '@jest/globals';
import { errorCodes, isErrorCode, Problem, statusesOf } from './index.js';

describe('Problem', () => {
  it('takes status and title from the table', () => {
    expect(new Problem('purchase-differs', { detail: 'kids differ' }).toDocument()).toEqual({
      type: 'urn:latchkey:problem:purchase-differs',
      title: errorCodes['purchase-differs'].title,
      status: 409,
      code: 'purchase-differs',
      detail: 'kids differ',
    });
  });

  it('may be answered with the second status of its code, and with no other', () => {
    expect(new Problem('device-revoked', { status: 409 }).status).toBe(409);
    expect(() => new Problem('device-revoked', { status: 404 })).toThrow(RangeError);
  });

  it('survives the way between two services', () => {
    const sent = new Problem('device-not-registered', { status: 409, detail: 'later', retryAfterSeconds: 2 });
    const received = Problem.fromWire(JSON.parse(JSON.stringify(sent.toWire())) as never);
    expect(received.toDocument()).toEqual(sent.toDocument());
    expect(received.retryAfterSeconds).toBe(2);
  });

  it('becomes internal when a newer service names a code that this one does not know', () => {
    expect(Problem.fromWire({ code: 'invented', status: 418 }).code).toBe('internal');
    expect(Problem.fromWire({ code: 'toString', status: 400 }).code).toBe('internal');
  });
});

describe('the table of error codes', () => {
  it.each(Object.entries(errorCodes))('%s is kebab-case with a status of an error', (code, { status }) => {
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(isErrorCode(code)).toBe(true);
    expect(statusesOf(code as keyof typeof errorCodes)[0]).toBe(status);
  });
});
