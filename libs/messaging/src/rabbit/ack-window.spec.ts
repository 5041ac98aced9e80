import { describe, expect, it } from '@jest/globals';
import { AckWindow } from './ack-window.js';

function windowOf(...tags: number[]): AckWindow {
  const window = new AckWindow();
  for (const tag of tags) window.delivered(tag);
  return window;
}

describe('acknowledging', () => {
  it('takes one frame for all that were delivered and settled', () => {
    expect(windowOf(1, 2, 3).settle([1, 2, 3])).toEqual([{ deliveryTag: 3, multiple: true }]);
  });

  it('takes a prefix in any order, and leaves out what comes after it', () => {
    expect(windowOf(1, 2, 3, 4).settle([2, 1])).toEqual([{ deliveryTag: 2, multiple: true }]);
  });

  it('never reaches over a message that is not settled', () => {
    expect(windowOf(1, 2, 3, 4).settle([1, 3, 4])).toEqual([
      { deliveryTag: 1, multiple: false },
      { deliveryTag: 3, multiple: false },
      { deliveryTag: 4, multiple: false },
    ]);
  });

  it('reaches over what was settled before', () => {
    const window = windowOf(1, 2, 3, 4);
    expect(window.settle([2])).toEqual([{ deliveryTag: 2, multiple: false }]);
    expect(window.settle([1, 3])).toEqual([{ deliveryTag: 3, multiple: true }]);
  });

  it('sends nothing for nothing', () => {
    expect(windowOf(1).settle([])).toEqual([]);
  });
});
