import { describe, expect, it } from '@jest/globals';
import { isRefusal } from './is-refusal.js';

const reply = (code: number, message: string): Error => Object.assign(new Error(`Operation failed: ${message}`), { code });

describe('isRefusal', () => {
  it.each([
    reply(403, "ACCESS_REFUSED - access to queue 'cookie.in' in vhost '/' refused for user 'cookie'"),
    reply(404, "NOT_FOUND - no exchange 'latchkey.events' in vhost '/'"),
    reply(406, "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'cookie.in' in vhost '/'"),
  ])('takes %s for one', (error) => {
    expect(isRefusal(error)).toBe(true);
  });

  it.each([
    reply(404, "NOT_FOUND - queue 'cookie.rpc' in vhost '/' process is stopped by supervisor"),
    reply(404, "NOT_FOUND - home node 'rabbit@two' of durable queue 'cookie.rpc' in vhost '/' is down or inaccessible"),
    reply(541, 'INTERNAL_ERROR'),
    reply(320, 'CONNECTION_FORCED'),
    new Error('read ECONNRESET'),
  ])('expects %s to pass', (error) => {
    expect(isRefusal(error)).toBe(false);
  });
});
