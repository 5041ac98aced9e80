import { once } from 'node:events';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Customer, CustomerBook } from './customer-book.js';
import { isOf, readEvents, shownEvent } from './event-relay.js';
import type { LatchkeyClient } from './latchkey-client.js';
import type { Shop } from './shop.js';
import { ShopProblem } from './shop-problem.js';

/** What the page's calls are answered from. */
export interface CallParts {
  readonly shop: Shop;
  readonly book: CustomerBook;
  readonly latchkey: LatchkeyClient;
  /** Ends the streams. */
  readonly closing: AbortSignal;
}

/** Open pages at once: each holds a stream to Latchkey. */
const STREAMS_MAX = 48;

const nothing = z.strictObject({});
const sale = z.strictObject({ contentId: z.string().max(128), kind: z.enum(['buy', 'rent']) });
const eventId = /^[0-9]{1,18}$/;

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new ShopProblem('invalid-request');
  return parsed.data;
}

/** The calls of the page, all under `/demo/api`. Only the first makes a customer; the others are refused without one. */
export function addCalls(app: FastifyInstance, { shop, book, latchkey, closing }: CallParts): void {
  const customerOf = async (request: FastifyRequest): Promise<Customer> => {
    const customer = await book.find(request.headers.cookie);
    if (!customer) throw new ShopProblem('no-customer');
    return customer;
  };
  app.get('/demo/api/shop', async (request, reply) => {
    const known = await book.find(request.headers.cookie);
    if (known) return shop.view(known);
    const { customer, setCookie } = await book.welcome();
    return reply.header('set-cookie', setCookie).send(await shop.view(customer));
  });
  const post = (path: string, act: (customer: Customer, request: FastifyRequest<{ Params: { id: string } }>) => Promise<unknown>): void => {
    app.post<{ Params: { id: string } }>(`/demo/api/${path}`, async (request, reply) => {
      const answer = await act(await customerOf(request), request);
      return answer === undefined ? reply.status(204).send() : reply.send(answer);
    });
  };
  const withoutBody = (path: string, act: (customer: Customer, id: string) => Promise<unknown>): void =>
    post(path, (customer, { body, params }) => {
      read(nothing, body);
      return act(customer, params.id);
    });
  withoutBody('registration', (customer) => shop.register(customer));
  withoutBody('new-device', (customer) => shop.startAgain(customer));
  post('tickets', (customer, { body }) => {
    const { contentId, kind } = read(sale, body);
    return shop.buy(customer, contentId, kind);
  });
  withoutBody('tickets/:id/token', (customer, id) => shop.token(customer, id));
  withoutBody('tickets/:id/refund', (customer, id) => shop.refund(customer, id));
  withoutBody('devices/:id/revoke', (customer, id) => shop.revoke(customer, id));

  let streams = 0;
  app.get<{ Querystring: { after?: string } }>('/demo/api/events', async (request, reply) => {
    const customer = await customerOf(request);
    if (streams >= STREAMS_MAX) throw new ShopProblem('too-many-viewers');
    streams += 1;
    try {
      const after = [request.headers['last-event-id'], request.query.after].find((id) => typeof id === 'string' && eventId.test(id)) as string | undefined;
      await relayEvents(customer, latchkey, { after, closing, reply });
    } finally {
      streams -= 1;
    }
  });
}

interface Relay {
  readonly after: string | undefined;
  readonly closing: AbortSignal;
  readonly reply: FastifyReply;
}

/** The merchant's stream, as far as it is this customer's: an `EventSource` cannot send the API key, and should not have it. */
async function relayEvents(customer: Customer, latchkey: LatchkeyClient, { after, closing, reply }: Relay): Promise<void> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const stream = await latchkey.events(after, AbortSignal.any([closing, gone.signal]));
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), 'content-type': 'text/event-stream' });
  reply.raw.write('retry: 2000\n\n');
  try {
    for await (const event of readEvents(stream)) {
      const text = event === undefined ? ': \n\n' : isOf(customer, event) ? shownEvent(event) : '';
      if (text !== '' && !reply.raw.write(text)) await once(reply.raw, 'drain', { signal: gone.signal });
    }
  } catch {
    // The page has gone, or Latchkey has: an EventSource comes back by itself, with the last id that it had.
  }
  reply.raw.end();
}
