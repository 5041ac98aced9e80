import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.mpd': 'application/dash+xml',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
};
/** What the lines of the README take for granted. */
const TAKEN_FOR_GRANTED = ['device', 'player', 'token', 'video', 'licenseUrl', 'manifestUrl', 'playlistUrl', 'Hls', 'configurations', 'showToViewer'];

/** The pages of e2e/pages on an origin of their own, with the device SDK as a page loads it, players, and films. */
export interface PlayerPages {
  readonly origin: string;
  remove(): Promise<void>;
}

/** Builds the device SDK as it is published, and serves. */
export async function startPlayerPages(): Promise<PlayerPages> {
  const built = await mkdtemp(join(tmpdir(), 'latchkey-player-pages-'));
  const project = join(root, 'libs/device-sdk');
  const options = ['--outDir', built, '--composite', 'false', '--incremental', 'false', '--declaration', 'false', '--declarationMap', 'false', '--tsBuildInfoFile', 'null'];
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(project, 'tsconfig.lib.json'), ...options]);
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const folders = { '/sdk/': built, '/players/': join(root, 'node_modules'), '/media/': join(root, 'apps/demo-shop/media'), '/': join(root, 'e2e/pages') };
  const contentOf = async (path: string): Promise<Buffer> => {
    if (path.startsWith('/readme/')) return Buffer.from(moduleOfLines(readme, path.slice('/readme/'.length, -'.mjs'.length)));
    const [prefix, folder] = Object.entries(folders).find(([start]) => path.startsWith(start))!;
    return readFile(join(folder, normalize(`/${path.slice(prefix.length)}`)));
  };
  const server = createServer((request, response) => void answer(request, response, contentOf));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    remove: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await rm(built, { recursive: true, force: true });
    },
  };
}

/** The code below a bold name in the README, as a module: its imports, and a function of what it takes for granted. */
function moduleOfLines(readme: string, name: string): string {
  const code = new RegExp(`\\*\\*${name.replaceAll('.', '\\.')}\\*\\*[^]*?\`\`\`js\\n([^]*?)\`\`\``).exec(readme)?.[1];
  if (code === undefined) throw new Error(`the README of the device SDK has no lines for ${name}`);
  const lines = code.split('\n');
  const isImport = (line: string): boolean => line.startsWith('import ');
  const body = lines.filter((line) => !isImport(line)).join('\n');
  return `${lines.filter(isImport).join('\n')}\nexport async function run({ ${TAKEN_FOR_GRANTED.join(', ')} }) {\n${body}\n}\n`;
}

/** GET of a file, whole or in one range, which is how players read films. */
async function answer(request: IncomingMessage, response: ServerResponse, contentOf: (path: string) => Promise<Buffer>): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://pages').pathname);
  const content = await contentOf(path).catch(() => undefined);
  if (!content) return void response.writeHead(404).end();
  const headers = { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream', 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-store' };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) return void response.writeHead(200, headers).end(content);
  const part = content.subarray(Number(first), last ? Number(last) + 1 : undefined);
  const range = `bytes ${first}-${Number(first) + part.length - 1}/${content.length}`;
  response.writeHead(206, { ...headers, 'Content-Range': range }).end(part);
}
