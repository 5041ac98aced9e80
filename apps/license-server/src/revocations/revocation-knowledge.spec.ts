import type { QueueDepth } from '@latchkey/messaging';
import { describe, expect, it } from '@jest/globals';
import { isAllHeard } from './revocation-knowledge.js';

const depths = (waiting: Partial<Record<QueueDepth['queue'], number>> = {}): QueueDepth[] =>
  (['in', 'retry', 'dlq'] as const).map((queue) => ({ queue, messages: waiting[queue] ?? 0 }));

describe('everything that was published has been heard', () => {
  it.each([
    ['the broker is up and nothing waits', 'up', {}, true],
    ['something is in quarantine, which alerts by itself', 'up', { dlq: 3 }, true],
    ['a backlog waits to be read', 'up', { in: 1 }, false],
    ['one message failed by itself and waits on the retry ladder', 'up', { retry: 1 }, true],
    ['the broker is down', 'down', {}, false],
    ['the broker lets nobody publish', 'blocked', {}, false],
  ] as const)('when %s (%s, %j): %s', (_when, state, waiting, expected) => {
    expect(isAllHeard(state, depths(waiting))).toBe(expected);
  });
});
