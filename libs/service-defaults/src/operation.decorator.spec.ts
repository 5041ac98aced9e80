import { describe, expect, it } from '@jest/globals';
import { operations, Problem } from '@latchkey/contracts';
import { readInput } from './index.js';

const read = (operation: Parameters<typeof readInput>[0], request: Record<string, unknown>): unknown =>
  readInput(operation, { params: {}, query: {}, headers: {}, body: undefined, ...request });
const problemOf = (operation: Parameters<typeof readInput>[0], request: Record<string, unknown>): Problem => {
  try {
    read(operation, request);
  } catch (error) {
    return error as Problem;
  }
  throw new Error('nothing was refused');
};

describe('readInput', () => {
  it('hands over the validated parts', () => {
    const input = read(operations.createCookie, { headers: { 'idempotency-key': 'k', host: 'x' }, body: { accountId: 'alice' } });
    expect(input).toEqual({ params: undefined, query: {}, headers: { 'idempotency-key': 'k' }, body: { accountId: 'alice' } });
  });

  it('lists every broken rule, with a pointer into the body or the name of the part', () => {
    const problem = problemOf(operations.createPurchase, { body: { purchaseId: 'p', cookie: 'c', contentId: '', kids: ['x'], rights: { type: 'purchase' } } });
    expect(problem.code).toBe('invalid-request');
    expect(problem.errors?.map((error) => error.path)).toEqual(['/contentId', '/kids/0']);
    expect(problemOf(operations.storeContentKey, { params: { kid: 'K' }, body: { key: '00'.repeat(16) } }).errors?.[0]?.path).toBe('/params/kid');
  });

  it('calls members that nobody knows by their name', () => {
    const problem = problemOf(operations.createCookie, { body: { accountId: 'alice', colour: 1, 'a/b': 2 } });
    expect([problem.code, problem.status]).toEqual(['unknown-member', 400]);
    expect(problem.errors?.map((error) => error.path)).toEqual(['/colour', '/a~1b']);
  });

  it('does not pass over __proto__, not even as a key of a map', () => {
    const kid = '0'.repeat(32);
    const body: unknown = JSON.parse(`{"cookie":"c","contentId":"f","kids":["${kid}"],"rights":{"type":"purchase"},"keys":{"__proto__":"${kid}"}}`);
    const problem = problemOf(operations.createToken, { body });
    expect([problem.code, problem.errors]).toEqual(['unknown-member', [{ path: '/keys/__proto__', message: 'is not known' }]]);
  });

  it('takes what is said several times alike for said once, and refuses what differs', () => {
    const headers = { 'x-latchkey-cookie': ['c', 'c'] };
    expect(read(operations.createRegistrationToken, { query: { cookie: ['b', 'b', 'b'] }, headers })).toMatchObject({ query: { cookie: 'b' }, headers: { 'x-latchkey-cookie': 'c' } });
    const differing = problemOf(operations.createRegistrationToken, { query: { cookie: ['b', 'c'] }, headers: { 'x-latchkey-cookie': ['b', 'c'] } });
    const message = 'stands several times with values that differ';
    expect([differing.code, differing.errors]).toEqual(['invalid-request', [{ path: '/query/cookie', message }, { path: '/headers/x-latchkey-cookie', message }]]);
  });

  it('refuses query members that nobody knows on calls that know none', () => {
    expect(problemOf(operations.showMerchant, { query: { colour: 'red' } })).toMatchObject({ code: 'unknown-member', errors: [{ path: '/query/colour' }] });
  });

  it('says invalid-request where something else is wrong too', () => {
    expect(problemOf(operations.createCookie, { body: { colour: 1 } }).code).toBe('invalid-request');
  });

  it('lets a body be left out only where the operation says so', () => {
    expect(read(operations.createRefund, { params: { purchaseId: 'p' } })).toMatchObject({ body: {} });
    expect(problemOf(operations.createCookie, {}).code).toBe('invalid-request');
    expect(problemOf(operations.createRefund, { params: { purchaseId: 'p' }, body: null }).code).toBe('invalid-request');
  });
});
