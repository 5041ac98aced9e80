import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A block of shell commands of a page, and what the page says that it answers. */
export interface DocumentedBlock {
  /** The line of the page on which its fence opens. */
  readonly line: number;
  readonly commands: string;
  /** Undefined where nothing stands beneath: then nothing may be answered. */
  readonly expected: Expectation | undefined;
}

/** `json`: JSON values one after the other, however they are laid out. `text`: lines. */
export interface Expectation {
  readonly kind: 'json' | 'text';
  readonly text: string;
}

const root = dirname(dirname(import.meta.dirname));

/**
 * The blocks of a page, or of one section of it. Throws where a fence is neither commands nor the answer to those right
 * before it, so that nothing of a page stays unread.
 */
export function blocksOf(markdown: string, section?: string): readonly DocumentedBlock[] {
  const blocks: DocumentedBlock[] = [];
  for (const { kind, text, line, heading, afterCommands } of fencesOf(markdown)) {
    if (section !== undefined && heading !== section) continue;
    if (kind === 'bash' || kind === 'sh') blocks.push({ line, commands: text, expected: undefined });
    else if ((kind === 'json' || kind === 'text') && afterCommands) blocks.push({ ...blocks.pop()!, expected: { kind, text } });
    else throw new Error(`line ${line}: a fence of ${kind || 'nothing'} is neither commands nor their answer`);
  }
  return blocks;
}

function fencesOf(markdown: string) {
  const fences: { kind: string; text: string; line: number; heading: string; afterCommands: boolean }[] = [];
  const lines = markdown.split('\n');
  let heading = '';
  for (let at = 0; at < lines.length; at += 1) {
    heading = /^#+ (.*)$/.exec(lines[at]!)?.[1] ?? heading;
    const kind = /^\s*```\s*(\S*)/.exec(lines[at]!)?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: the fence does not close`);
    const afterCommands = ['bash', 'sh'].includes(fences.at(-1)?.kind ?? '');
    fences.push({ kind, text: lines.slice(at + 1, end).join('\n'), line: at + 1, heading, afterCommands });
    at = end;
  }
  return fences;
}

/**
 * Runs the blocks one after the other in one bash, which ends at the first command that fails, and returns what each
 * wrote to standard output and standard error. Rejects where it ended early, with the line of the block that ended it.
 */
export async function runBlocks(blocks: readonly DocumentedBlock[], environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-e2e-page-'));
  try {
    const files = blocks.map((_, index) => join(folder, `${index}.sh`));
    await Promise.all(files.map((file, index) => writeFile(file, `${blocks[index]!.commands}\n`)));
    const script = 'set -euo pipefail; for __block in "$@"; do source "$__block" >"$__block.out" 2>&1; echo "$__block"; done';
    const { done, code } = await bash(script, files, { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment });
    const answers = await Promise.all(files.map((file) => readFile(`${file}.out`, 'utf8').catch(() => '')));
    if (code !== 0 || done.length !== files.length) {
      throw new Error(`line ${blocks[done.length]?.line}: bash ended with ${code} in this block\n${answers[done.length]}`);
    }
    return answers;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was written to standard output is the files that were carried out to their end. */
function bash(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ done: readonly string[]; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script, 'bash', ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ done: written.split('\n').filter((line) => line !== ''), code }));
  });
}

/** Whether an answer is what the page says. `…` stands for any text within a line or a JSON string; a line of it alone for any lines. */
export function isAsDocumented(expected: Expectation | undefined, answer: string): boolean {
  if (expected === undefined) return answer === '';
  if (expected.kind === 'text') return patternOf(expected.text, '[^\\n]*').test(`${answer.trimEnd()}\n`);
  const [wanted, found] = [jsonValuesOf(expected.text), jsonValuesOf(answer)];
  return wanted !== undefined && found !== undefined && isLike(wanted, found);
}

function patternOf(text: string, anything: string): RegExp {
  const quoted = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').split('…').join(anything);
  return new RegExp(`^${text.split('\n').map((line) => (line === '…' ? '(?:[^\\n]*\\n)*?' : `${quoted(line)}\\n`)).join('')}$`);
}

/** The JSON values of a text, each of which ends with its line; undefined where there is something else. */
export function jsonValuesOf(text: string): unknown[] | undefined {
  const values: unknown[] = [];
  let begun = '';
  for (const line of text.split('\n')) {
    begun += `${line}\n`;
    try {
      values.push(JSON.parse(begun));
      begun = '';
    } catch {
      // A value that goes on in the next line, or none: that shows at the end.
    }
  }
  return begun.trim() === '' ? values : undefined;
}

function isLike(wanted: unknown, found: unknown): boolean {
  if (typeof wanted === 'string') return typeof found === 'string' && patternOf(wanted, '.*').test(`${found}\n`);
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  if (typeof found !== 'object' || found === null || Array.isArray(wanted) !== Array.isArray(found)) return false;
  const members = Object.entries(wanted);
  return members.length === Object.keys(found).length && members.every(([name, value]) => Object.hasOwn(found, name) && isLike(value, (found as Record<string, unknown>)[name]));
}
