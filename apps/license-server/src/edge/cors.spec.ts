import { describe, expect, it } from '@jest/globals';
import { answerCors } from './cors.js';

const page = 'https://player.example';
const simple = { method: 'POST', origin: page, requestedMethod: undefined };
const preflight = { method: 'OPTIONS', origin: page, requestedMethod: 'POST' };

describe('answerCors', () => {
  it('lets a listed origin read the answer, with nonce and challenge', () => {
    expect(answerCors(new Set([page]), ['POST'], simple)).toEqual({
      preflight: false,
      headers: { vary: 'Origin', 'access-control-allow-origin': page, 'access-control-expose-headers': 'DPoP-Nonce, WWW-Authenticate, Retry-After, Date' },
    });
  });

  it('answers the preflight of a listed origin', () => {
    const { headers, preflight: answered } = answerCors(new Set([page]), ['POST'], preflight);
    expect(answered).toBe(true);
    expect(headers).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, DPoP, Content-Type',
    });
  });

  it.each(['https://player.example.evil', 'http://player.example', 'https://player.example:8443', 'null'])('gives %s nothing', (origin) => {
    expect(answerCors(new Set([page]), ['POST'], { ...simple, origin })).toEqual({ preflight: false, headers: { vary: 'Origin' } });
    expect(answerCors(new Set([page]), ['POST'], { ...preflight, origin })).toEqual({ preflight: true, headers: { vary: 'Origin' } });
  });

  it('gives everyone the same where everyone may', () => {
    expect(answerCors(new Set(['*']), ['POST'], simple).headers).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(answerCors(new Set(['*']), ['POST'], simple).headers).not.toHaveProperty('vary');
  });

  it('stays out of what is not of another origin, and of an OPTIONS that is no preflight', () => {
    expect(answerCors(new Set(['*']), ['POST'], { ...simple, origin: undefined })).toEqual({ headers: {}, preflight: false });
    expect(answerCors(new Set(['*']), ['POST'], { ...preflight, requestedMethod: undefined }).preflight).toBe(false);
  });
});
