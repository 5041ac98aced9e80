import { Problem } from '@latchkey/contracts';
import { parseStrictJson, type StrictJsonRefusal } from '@latchkey/crypto';
import { jsonPointer } from './json-pointer.js';

const details: Readonly<Record<StrictJsonRefusal, string>> = {
  'not-utf8': 'the body is not JSON in UTF-8',
  bom: 'the body is not JSON in UTF-8',
  syntax: 'the body is not JSON in UTF-8',
  'too-deep': 'the body is nested too deeply',
  'duplicate-member': 'the body has a member that stands twice',
  'lone-surrogate': 'the body has half of a character',
};

/**
 * Reads the body of a call as JSON. Throws `invalid-request`, naming the member where one stands twice: a proxy or a log
 * that keeps the first of two and we the last would see two different calls. One byte order mark at the start is passed
 * over (RFC 8259 §8.1).
 */
export function readJsonBody(body: Uint8Array): unknown {
  const bytes = withoutByteOrderMark(body);
  const json = parseStrictJson(bytes);
  if (json.ok) return json.value;
  const twice = json.reason === 'duplicate-member' ? duplicateMember(new TextDecoder().decode(bytes)) : undefined;
  throw new Problem('invalid-request', {
    detail: details[json.reason],
    ...(twice === undefined ? {} : { errors: [{ path: twice, message: 'stands twice' }] }),
  });
}

function withoutByteOrderMark(body: Uint8Array): Uint8Array {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}

/** Strings, and the marks between them; numbers, `true`, `false` and `null` hold none of these characters. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

interface OpenValue {
  /** The names so far, where it is an object. */
  readonly names: Set<string> | undefined;
  /** The name or the index of what is being read in it. */
  step: string | number;
}

/** The JSON Pointer of the first member that stands twice in its object. The text must be JSON. */
function duplicateMember(text: string): string | undefined {
  const open: OpenValue[] = [];
  let string = '';
  for (const [token] of text.matchAll(tokens)) {
    const inner = open.at(-1);
    if (token === '{') open.push({ names: new Set(), step: '' });
    else if (token === '[') open.push({ names: undefined, step: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && typeof inner?.step === 'number') inner.step += 1;
    else if (token === ':' && inner?.names) {
      inner.step = JSON.parse(string) as string;
      if (inner.names.has(inner.step)) return jsonPointer(open.map(({ step }) => step));
      inner.names.add(inner.step);
    } else string = token;
  }
  return undefined;
}
