import { describe, expect, it } from '@jest/globals';
import { WaitWatch } from './wait-watch.js';

describe('what waits for a part that is away', () => {
  it('begins with the first message and ends with the last, whatever is handled meanwhile', () => {
    const watch = new WaitWatch();
    expect(watch.note([], ['x'], 0)).toBeUndefined();
    expect(watch.note(['a', 'b'], ['y'], 1)).toBe('begins');
    expect(watch.note(['a', 'b'], [], 2)).toBeUndefined();
    expect(watch.note([], ['z'], 3)).toBeUndefined();
    expect(watch.note(['c'], ['a'], 4)).toBeUndefined();
    expect(watch.note([], ['b'], 5)).toBeUndefined();
    expect(watch.note([], ['c'], 6)).toBe('ends');
    expect(watch.note(['a'], [], 7)).toBe('begins');
  });

  it('ends for a message that another replica has taken, a minute later', () => {
    const watch = new WaitWatch();
    watch.note(['a'], [], 0);
    expect(watch.note([], ['x'], 60_000)).toBeUndefined();
    expect(watch.note([], ['x'], 60_001)).toBe('ends');
  });

  it('remembers no more than a thousand', () => {
    const watch = new WaitWatch();
    const keys = Array.from({ length: 5_000 }, (_, index) => String(index));
    watch.note(keys, [], 0);
    expect(watch.note([], keys.slice(0, 1_000), 1)).toBe('ends');
  });
});
