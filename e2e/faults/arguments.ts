import { parseArgs } from 'node:util';

/** What `npm run faults` was asked for. */
export type Arguments =
  | { readonly command: 'list' }
  | { readonly command: 'judge'; readonly file: string }
  | { readonly command: 'controls' }
  | { readonly command: 'run'; readonly seed: number; readonly rounds: number; readonly actors: number; readonly faults: readonly string[] | undefined; readonly realLadder: boolean };

export const usage = `npm run faults -- [--seed N] [--rounds N] [--actors N] [--faults name,name]   hurt a system of its own, and judge
npm run faults -- --real-ladder          the same with the waits of the retry ladder as in operation
npm run faults -- --list                 name the faults
npm run faults -- --judge <file>         judge a recorded run again
npm run faults -- --controls             break each guarantee on purpose, and see the checkers say so`;

/** Reads the arguments; throws, saying what is wrong, on those that make no sense. A run without a seed gets one. */
export function readArguments(args: readonly string[], knownFaults: readonly string[], anySeed: () => number): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      actors: { type: 'string', default: '6' },
      faults: { type: 'string' },
      'real-ladder': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      judge: { type: 'string' },
      controls: { type: 'boolean', default: false },
    },
  });
  if (values.list) return { command: 'list' };
  if (values.controls) return { command: 'controls' };
  if (values.judge !== undefined) return { command: 'judge', file: values.judge };
  const faults = values.faults?.split(',').filter((name) => name !== '');
  const unknown = faults?.filter((name) => !knownFaults.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no fault named ${unknown.join(', ')}. There are ${knownFaults.join(', ')}.`);
  return {
    command: 'run',
    seed: values.seed === undefined ? anySeed() : wholeNumber('seed', values.seed, 0),
    rounds: wholeNumber('rounds', values.rounds, 0),
    actors: wholeNumber('actors', values.actors, 1),
    faults,
    realLadder: values['real-ladder'],
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least) throw new Error(`--${name} takes a whole number from ${least}, not ${text}.`);
  return number;
}
