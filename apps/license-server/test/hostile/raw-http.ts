import { once } from 'node:events';
import { connect } from 'node:net';
import type { Draft, Header } from './draft.js';

/** An answer, with every header line that it came with. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly text: string;
}

/** The values of all header lines of one name. */
export function valuesOf({ headers }: RawAnswer, wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

/** Sends a request byte for byte: `fetch` would join two headers of a kind, or refuse them. */
export async function sendRaw(origin: string, { method, target, headers, body }: Pick<Draft, 'method' | 'target' | 'headers' | 'body'>): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const content = Buffer.from(body);
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${hostname}`, 'Connection: close', `Content-Length: ${content.length}`, ...lines];
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), content]));
  await once(socket, 'close');
  return parse(Buffer.concat(received).toString());
}

function parse(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n');
  const headers = lines.map((line): Header => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  return { status: Number(statusLine.split(' ')[1]), headers, text: answer.slice(end + 4) };
}
