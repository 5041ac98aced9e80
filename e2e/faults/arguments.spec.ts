import { describe, expect, it } from '@jest/globals';
import { readArguments } from './arguments.js';

const read = (...args: string[]) => readArguments(args, ['broker-killed', 'disk-alarm'], () => 42);

describe('readArguments', () => {
  it('runs every fault once with a seed of its own when nothing is said', () => {
    expect(read()).toEqual({ command: 'run', seed: 42, rounds: 1, actors: 6, faults: undefined, realLadder: false });
  });

  it('takes seed, rounds, actors and faults', () => {
    expect(read('--seed', '7', '--rounds', '3', '--actors=2', '--faults', 'disk-alarm,broker-killed')).toEqual({
      command: 'run',
      seed: 7,
      rounds: 3,
      actors: 2,
      faults: ['disk-alarm', 'broker-killed'],
      realLadder: false,
    });
  });

  it('takes the real retry ladder', () => {
    expect(read('--real-ladder')).toMatchObject({ command: 'run', realLadder: true });
  });

  it('lists, judges and controls', () => {
    expect(read('--list')).toEqual({ command: 'list' });
    expect(read('--judge', 'run.jsonl')).toEqual({ command: 'judge', file: 'run.jsonl' });
    expect(read('--controls')).toEqual({ command: 'controls' });
  });

  it.each([[['--faults', 'no-such']], [['--seed', '1.5']], [['--seed', '-1']], [['--actors', '0']], [['--rounds', 'many']], [['--what']]])('refuses %j', (args) => {
    expect(() => read(...args)).toThrow();
  });
});
