import { describe, expect, it } from '@jest/globals';
import { operations, Problem } from '@latchkey/contracts';
import { withStatusOf } from './merchant-call.interceptor.js';

describe('the status of a refusal', () => {
  it('is the one that the operation names for its code', () => {
    expect(withStatusOf(operations.createPurchase, new Problem('device-revoked'))).toMatchObject({ code: 'device-revoked', status: 409 });
    expect(withStatusOf(operations.showPurchaseToken, new Problem('cookie-unknown'))).toMatchObject({ status: 409 });
    expect(withStatusOf(operations.createPurchase, new Problem('cookie-unknown', { status: 409 }))).toMatchObject({ status: 404 });
  });

  it('keeps all else that the problem says', () => {
    const problem = new Problem('device-revoked', { detail: 'why', errors: [{ path: '/cookie', message: 'is revoked' }], retryAfterSeconds: 3 });
    expect(withStatusOf(operations.createPurchase, problem)).toMatchObject({ detail: 'why', errors: problem.errors, retryAfterSeconds: 3 });
  });

  it('is its own where the operation does not name the code', () => {
    const problem = new Problem('unavailable');
    expect(withStatusOf(operations.createPurchase, problem)).toBe(problem);
  });
});
