import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import { addCalls } from './calls.js';
import { CustomerBook } from './customer-book.js';
import { mediaPath, readFilms } from './films.js';
import { refuseForeign } from './guard.js';
import { LatchkeyClient, problemOf } from './latchkey-client.js';
import { importMapHash, securityHeaders } from './page-headers.js';
import { PageModules } from './page-modules.js';
import { Shop } from './shop.js';
import { ShopProblem } from './shop-problem.js';

/** Where the shop stands. */
export interface DemoShopParts {
  /** Where Latchkey answers merchants. */
  readonly gatewayOrigin: string;
  readonly apiKey: string;
  /** The public URL of `/v1/licenses`. */
  readonly licenseUrl: string;
  /** The name under which browsers may reach the shop, beside this machine's own. */
  readonly publicUrl: string;
  /** How long a rental plays from its first licence, in seconds. */
  readonly rentalSeconds: number;
  /** Where the shop keeps its customers. */
  readonly customersFile: string;
  /** Told of what the shop did not expect. */
  readonly onFault: (error: unknown) => void;
}

/** The shop, for a server that stands in front of it and passes on what begins with `/demo`. */
export interface DemoShop {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Ends open event streams; requests under way may still end. */
  stop(): Promise<void>;
}

const BODY_BYTES_MAX = 4 * 1024;
const pageFolder = fileURLToPath(new URL('../page/', import.meta.url));

/** The merchant's back end and its page. It knows Latchkey by its public HTTP API alone. */
export async function createDemoShop(parts: DemoShopParts): Promise<DemoShop> {
  const html = await readFile(join(pageFolder, 'index.html'), 'utf8');
  const headers = securityHeaders(await importMapHash(html), parts.licenseUrl);
  const publicHostname = new URL(parts.publicUrl).hostname;
  const book = await CustomerBook.open(parts.customersFile);
  const latchkey = new LatchkeyClient(parts.gatewayOrigin, parts.apiKey);
  const shop = new Shop({ latchkey, book, films: await readFilms(), licenseUrl: parts.licenseUrl, rentalSeconds: parts.rentalSeconds });
  const app = fastify({ bodyLimit: BODY_BYTES_MAX });
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers).header('cache-control', 'no-store');
    // By the route and not by the address, in which %61 is an a as well.
    refuseForeign(request, publicHostname, request.routeOptions.url?.startsWith('/demo/api/') ?? false);
  });
  renderProblems(app, parts.onFault);
  await servePage(app, html);
  const closing = new AbortController();
  addCalls(app, { shop, book, latchkey, closing: closing.signal });
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    stop: async () => {
      closing.abort();
      await app.close();
    },
  };
}

function renderProblems(app: FastifyInstance, onFault: (error: unknown) => void): void {
  app.setNotFoundHandler(() => {
    throw new ShopProblem('not-found');
  });
  app.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const known = problemOf(error) ?? problemOfStatus(error.statusCode);
    if (!known) onFault(error);
    const problem = known ?? new ShopProblem('internal');
    await reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem.toDocument()));
  });
}

function problemOfStatus(status: number | undefined): ShopProblem | undefined {
  if (status === 413) return new ShopProblem('too-large');
  if (status === 415) return new ShopProblem('not-json');
  return status !== undefined && status >= 400 && status < 500 ? new ShopProblem('invalid-request') : undefined;
}

async function servePage(app: FastifyInstance, html: string): Promise<void> {
  const modules = new PageModules();
  for (const path of ['/demo', '/demo/']) app.get(path, (_request, reply) => reply.type('text/html; charset=utf-8').send(html));
  for (const folder of ['page', 'device-sdk'] as const) {
    app.get<{ Params: { '*': string } }>(`/demo/${folder}/*`, async (request, reply) => {
      const script = await modules.read(folder, request.params['*']);
      if (script === undefined) throw new ShopProblem('not-found');
      return reply.type('text/javascript; charset=utf-8').send(script);
    });
  }
  const player = fileURLToPath(import.meta.resolve('shaka-player/dist/shaka-player.compiled.js'));
  app.get('/demo/shaka-player.js', async (_request, reply) => reply.type('text/javascript; charset=utf-8').header('cache-control', 'private, max-age=3600').send(await readFile(player)));
  await app.register(fastifyStatic, { root: pageFolder, prefix: '/demo/look/', index: false, cacheControl: false, allowedPath: (path) => /\.(?:css|svg)$/.test(path) });
  const types: Readonly<Record<string, string>> = { mp4: 'video/mp4', mpd: 'application/dash+xml' };
  await app.register(fastifyStatic, {
    root: mediaPath,
    prefix: '/demo/media/',
    decorateReply: false,
    index: false,
    cacheControl: false,
    // Not the list with the content keys, though these are public, nor the script that made the films.
    allowedPath: (path) => /\.(?:mp4|mpd)$/.test(path),
    setHeaders: (reply, path) => void reply.header('content-type', types[path.slice(path.lastIndexOf('.') + 1)]!),
  });
}
