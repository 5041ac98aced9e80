import { describe, expect, it } from '@jest/globals';
import { isForThisMachine, isLoopback } from './this-machine.js';

it.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost'])('%s is this machine alone', (host) => expect(isLoopback(host)).toBe(true));
it.each(['0.0.0.0', '::', '10.0.0.7', '127.0.0.1.evil.example', '127.example', 'shop.example'])('%s is not', (host) => expect(isLoopback(host)).toBe(false));

describe('standalone', () => {
  it.each([{}, { LATCHKEY_PUBLIC_URL: '' }, { LATCHKEY_PUBLIC_URL: 'http://localhost:8080', LATCHKEY_LICENSE_URL: 'http://[::1]:8080/v1/licenses' }])('is for this machine alone with %j', (environment) => {
    expect(isForThisMachine(environment, '127.0.0.1')).toBe(true);
    expect(isForThisMachine(environment, '0.0.0.0')).toBe(false);
  });

  it.each([{ LATCHKEY_PUBLIC_URL: 'https://shop.example' }, { LATCHKEY_LICENSE_URL: 'https://play.example/v1/licenses' }])('is not, behind a proxy: %j', (environment) => {
    expect(isForThisMachine(environment, '127.0.0.1')).toBe(false);
  });
});
