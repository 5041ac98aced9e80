import { errorCodes, type OperationContract, operations, Problem } from '@latchkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { errorOfAnswer } from './problem.js';

const answered = (status: number, body: string, retryAfter: string | null = null) => ({ status, body, retryAfter });

/** What a viewer can do about everything that the two calls of devices refuse with. */
const actions: Readonly<Record<string, string>> = {
  unauthenticated: 'contact-support',
  'invalid-dpop-proof': 'contact-support',
  'use-dpop-nonce': 'try-again-later',
  'invalid-token': 'fetch-new-token',
  'device-revoked': 'contact-support',
  'kid-not-in-token': 'fetch-new-token',
  'rental-expired': 'buy-again',
  'rental-not-started': 'wait',
  'cookie-bound-elsewhere': 'use-bound-device',
  unavailable: 'try-again-later',
};

describe('an error', () => {
  it('has an action for every refusal that devices may get', () => {
    const ofDevices = operations.operations.filter(({ security }: OperationContract) => security.kind === 'dpop').flatMap(({ refusals }) => [...refusals] as string[]);
    expect([...new Set(ofDevices)].sort()).toEqual(Object.keys(actions).sort());
  });

  it.each(Object.entries(actions))('%s says: %s', (code, action) => {
    const { status } = errorCodes[code as keyof typeof errorCodes];
    const body = JSON.stringify(new Problem(code as keyof typeof errorCodes).toDocument());
    expect(errorOfAnswer(answered(status, body))).toMatchObject({ name: 'DeviceError', code, action, status, message: errorCodes[code as keyof typeof errorCodes].title });
  });

  it('says how long to wait, and what the call itself knows better', () => {
    const body = JSON.stringify(new Problem('invalid-token').toDocument());
    expect(errorOfAnswer(answered(401, body, '7'), { 'invalid-token': 'register-again' })).toMatchObject({ action: 'register-again', retryAfterSeconds: 7 });
  });

  it.each([
    [404, 'not found', 'contact-support'],
    [502, '<html>', 'try-again-later'],
    [429, '{}', 'try-again-later'],
    [500, 'null', 'try-again-later'],
    [400, '{"code":7}', 'contact-support'],
  ])('is unexpected where somebody else answered %i %j', (status, body, action) => {
    expect(errorOfAnswer(answered(status, body))).toMatchObject({ code: 'unexpected-answer', action, status });
  });

  it.each(['toString', '__proto__', 'constructor'])('asks for support with the code %j that nobody knows', (code) => {
    expect(errorOfAnswer(answered(400, `{"code":"${code}"}`))).toMatchObject({ code, action: 'contact-support' });
  });
});
