import { expect, it } from '@jest/globals';
import { isDemoPath, isLoopback } from './demo-door.js';

it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('%s is this machine alone', (host) => expect(isLoopback(host)).toBe(true));
it.each(['0.0.0.0', '::', '10.0.0.7', '127.0.0.1.evil.example', '127.example', 'shop.example'])('%s is not', (host) => expect(isLoopback(host)).toBe(false));
it.each(['/demo', '/demo/', '/demo/api/shop'])('%s is the shop’s', (path) => expect(isDemoPath(path)).toBe(true));
it.each(['/', '/demonstration', '/v1/demo', '/Demo'])('%s is not the shop’s', (path) => expect(isDemoPath(path)).toBe(false));
