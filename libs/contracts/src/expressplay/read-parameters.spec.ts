import { describe, expect, it } from '@jest/globals';
import type { ExpressPlayParameter } from './parameter.js';
import { form } from './parameter.js';
import { type GivenParameters, readParameters } from './read-parameters.js';

const cookie: ExpressPlayParameter = {
  name: 'cookie',
  aliases: ['Cookie'],
  header: 'x-cookie',
  place: 'parameters',
  meaning: '',
  required: 'always',
  missing: -2033,
  checks: [form(-2033, 'letters', /^[a-z]+$/)],
};
const optional: ExpressPlayParameter = { ...cookie, name: 'kek', aliases: [], header: undefined, required: 'never', missing: -4023, checks: [form(-4024, 'digits', /^\d+$/)] };
const device: ExpressPlayParameter = {
  ...optional,
  name: 'device',
  missing: -5005,
  checks: [form(-5004, 'digits', /^\d+$/), { fault: 'capability', code: -7002, words: 'left out', holds: (_, { bindsDevices }) => bindsDevices }],
};
const surroundings = { nowMs: 0, bindsDevices: true };

function read(parameters: Record<string, string[]>, headers: Record<string, string[]> = {}) {
  const given: GivenParameters = { parameters: new Map(Object.entries(parameters)), headers: new Map(Object.entries(headers)), body: new Map(), path: new Map() };
  const answer = readParameters([cookie, optional], [{ code: -5007, words: 'not both', broken: (values) => values.has('kek') && values.get('cookie') === 'both' }], given, surroundings);
  return answer.ok ? Object.fromEntries(answer.values) : answer.fault.code;
}

describe('the parameters of a request', () => {
  it.each<[string, Parameters<typeof read>, unknown]>([
    ['may stand under their name', [{ cookie: ['a'] }], { cookie: 'a' }],
    ['may stand under another', [{ Cookie: ['a'] }], { cookie: 'a' }],
    ['may stand in a header', [{}, { 'x-cookie': ['a'] }], { cookie: 'a' }],
    ['may stand in all of them, if they say the same', [{ cookie: ['a'], Cookie: ['a'] }, { 'x-cookie': ['a'] }], { cookie: 'a' }],
    ['may not differ', [{ cookie: ['a'] }, { 'x-cookie': ['b'] }], -2033],
    ['may not differ by an empty one', [{ cookie: ['a'], Cookie: [''] }], -2033],
    ['may not stand twice, though it is the same', [{ cookie: ['a', 'a'] }], -2033],
    ['may not stand twice in a header', [{}, { 'x-cookie': ['a', 'a'] }], -2033],
    ['may not be missing', [{}], -2033],
    ['are missing without a value', [{ cookie: [''] }], -2033],
    ['are missing without a value where they need not be there', [{ cookie: ['a'], kek: [''] }], -4023],
    ['have a form', [{ cookie: ['a'], kek: ['x'] }], -4024],
    ['are called by their very names', [{ COOKIE: ['a'] }], -2033],
    ['may say what nobody knows', [{ cookie: ['a'], analogVideoOPL: ['0'], ['__proto__']: ['1'] }], { cookie: 'a' }],
    ['are judged together at last', [{ cookie: ['both'], kek: ['1'] }], -5007],
    ['mean what they say, whatever it is', [{ cookie: ['unclear'] }], { cookie: 'unclear' }],
  ])('%s', (_, args, expected) => {
    expect(read(...args)).toEqual(expected);
  });
});

describe('a parameter that is not taken', () => {
  const readDevice = (said: string[], bindsDevices: boolean): unknown => {
    const given: GivenParameters = { parameters: new Map([['device', said]]), headers: new Map(), body: new Map(), path: new Map() };
    const answer = readParameters([device], [], given, { nowMs: 0, bindsDevices });
    return answer.ok ? Object.fromEntries(answer.values) : answer.fault.code;
  };

  it.each<[string, string[], unknown]>([
    ['is right', ['1'], { device: '1' }],
    ['is malformed', ['x'], -5004],
    ['has no value', [''], -5005],
    ['stands twice', ['1', '1'], -5004],
    ['is left out', [], {}],
  ])('is refused as such where it %s', (_, values, taken) => {
    expect(readDevice(values, true)).toEqual(taken);
    expect(readDevice(values, false)).toEqual(values.length === 0 ? {} : -7002);
  });
});
