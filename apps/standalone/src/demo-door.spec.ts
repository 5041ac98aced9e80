import { expect, it } from '@jest/globals';
import { isDemoPath } from './demo-door.js';

it.each(['/demo', '/demo/', '/demo/api/shop'])('%s is the shop’s', (path) => expect(isDemoPath(path)).toBe(true));
it.each(['/', '/demonstration', '/v1/demo', '/Demo'])('%s is not the shop’s', (path) => expect(isDemoPath(path)).toBe(false));
