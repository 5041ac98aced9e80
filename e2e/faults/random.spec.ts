import { describe, expect, it } from '@jest/globals';
import { Random } from './random.js';

const draw = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.fraction());

describe('Random', () => {
  it('repeats by seed, and not between seeds', () => {
    expect(draw(new Random(7), 20)).toEqual(draw(new Random(7), 20));
    expect(draw(new Random(7), 20)).not.toEqual(draw(new Random(8), 20));
  });

  it('gives a fork the same choices however much was drawn before', () => {
    const drawn = new Random(7);
    draw(drawn, 100);
    expect(draw(drawn.fork('a'), 20)).toEqual(draw(new Random(7).fork('a'), 20));
    expect(draw(drawn.fork('a'), 20)).not.toEqual(draw(drawn.fork('b'), 20));
  });

  it('reaches both ends of a range and nothing beyond', () => {
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 500 }, () => random.between(3, 6)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6]);
  });

  it('shuffles without losing or repeating', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = new Random(3).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.sort((a, b) => a - b)).toEqual(items);
  });

  it('has nothing to pick from an empty list', () => {
    expect(() => new Random(1).pick([])).toThrow('nothing to pick');
  });
});
