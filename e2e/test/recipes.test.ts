import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blocksOf, type DocumentedBlock, isAsDocumented, jsonValuesOf, runBlocks } from './documented-blocks.js';
import { type Standalone, startStandalone } from './standalone.js';

// Every command of the pages starts processes of its own, on machines that may be busy.
jest.setTimeout(240_000);

const page = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../..', path), 'utf8');

let standalone: Standalone;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  standalone = await startStandalone();
  environment = { LATCHKEY: standalone.origin, LATCHKEY_DATA_DIR: standalone.dataDir };
});
afterAll(() => standalone.remove());

describe('the recipes', () => {
  let blocks: readonly DocumentedBlock[];
  let answers: readonly string[];

  beforeAll(async () => {
    blocks = blocksOf(await page('docs/recipes.md'));
    answers = await runBlocks(blocks, environment);
  });

  /** What was answered that the page says otherwise, with its line. */
  const unlike = (given: readonly string[]): string[] => blocks.flatMap(({ line, expected }, index) => (isAsDocumented(expected, given[index]!) ? [] : [`line ${line}: ${given[index]}`]));

  it('answer as the page says, each of them', () => {
    expect(blocks.length).toBeGreaterThan(20);
    expect(unlike(answers)).toEqual([]);
  });

  it('would fail by any word of the page that was another', () => {
    const passedOver = blocks.flatMap(({ line, expected }, index) => {
      const words = expected ? [...expected.text.matchAll(/[A-Za-z0-9_-]+/g)] : [];
      return words.flatMap(({ 0: word, index: at }) => {
        const text = `${expected!.text.slice(0, at)}${word.startsWith('9') ? '8' : '9'}${expected!.text.slice(at + 1)}`;
        return isAsDocumented({ kind: expected!.kind, text }, answers[index]!) ? [`line ${line}: ${word}`] : [];
      });
    });
    expect(passedOver).toEqual([]);
  });

  it('can be carried out again', async () => {
    expect(unlike(await runBlocks(blocks, environment))).toEqual([]);
  });
});

describe('the five minutes of the README', () => {
  it('go as they stand there, twice', async () => {
    const blocks = blocksOf(await page('README.md'), 'Five minutes with curl');
    expect(blocks).toHaveLength(1);
    for (let time = 0; time < 2; time += 1) {
      const [answer] = await runBlocks(blocks, environment);
      const [calls, stream] = [answer!.split(/^(?=retry: )/m)[0]!, answer!.split(/^(?=retry: )/m)[1]];
      expect(jsonValuesOf(calls)).toMatchObject([
        { state: 'pending', accountId: 'alice' },
        { licenseUrl: `${standalone.origin}/v1/licenses` },
        { state: 'awaiting-device' },
        { state: 'awaiting-device' },
        { code: 'token-not-issued' },
      ]);
      expect(stream).toMatch(/^event: purchase\.completed\.v1$/m);
    }
  });
});

describe('a page is read to its last fence', () => {
  const fenced = (kind: string, text: string): string => `\`\`\`${kind}\n${text}\n\`\`\`\n`;

  it.each([
    ['an answer without commands', fenced('json', '1')],
    ['two answers to one block', fenced('bash', 'a') + fenced('json', '1') + fenced('json', '1')],
    ['a language that nothing runs', fenced('python', 'a')],
    ['a fence that does not close', '```bash\na\n'],
  ])('which refuses %s', (_, markdown) => {
    expect(() => blocksOf(markdown)).toThrow(/^line \d+: /);
  });

  it('ends at the first command that fails, and names its line', async () => {
    const blocks = blocksOf(fenced('bash', 'true') + fenced('bash', 'false\necho on'));
    await expect(runBlocks(blocks, {})).rejects.toThrow('line 4: bash ended with 1');
  });

  it.each([
    ['a status', 'json', '{"a":"…"}\n200', '{"a":"x"}\n200\n', '{"a":"x"}\n201\n'],
    ['a member more', 'json', '{"a":"…"}', '{"a":"x"}\n', '{"a":"x","b":1}\n'],
    ['a member less', 'json', '{"a":"…"}', '{"a":""}\n', '{}\n'],
    ['a value more', 'json', '{"a":1}', '{"a":1}\n', '{"a":1}\n{"a":1}\n'],
    ['another kind', 'json', '{"a":"…"}', '{"a":"1"}\n', '{"a":1}\n'],
    ['what surrounds a placeholder', 'json', '{"a":"tok_…"}', '{"a":"tok_1"}\n', '{"a":"key_1"}\n'],
    ['a line of text', 'text', 'a … c', 'a b c\n', 'a b d\n'],
    ['text where JSON is said', 'json', '1', '1\n', '1\nhello\n'],
  ] as const)('and tells %s', (_, kind, text, right, wrong) => {
    expect([right, wrong].map((answer) => isAsDocumented({ kind, text }, answer))).toEqual([true, false]);
  });

  it('and tells what is answered where nothing is said', () => {
    expect([isAsDocumented(undefined, ''), isAsDocumented(undefined, 'x\n')]).toEqual([true, false]);
  });
});
