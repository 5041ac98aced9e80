import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear, Problem, PurchaseCompleted, type ServiceMessaging } from '@latchkey/contracts';
import { throwError } from 'rxjs';
import type { BatchHandler, Broker, RawMessage, RequestHandler, Verdict } from './broker.js';
import { toMessage } from './cloud-event-codec.js';
import { currentCorrelationId } from './correlation.js';
import type { Delivery } from './delivery.js';
import { EventStrategy } from './event-strategy.js';
import { checkoutUsers } from './publisher-check.js';

const messaging: ServiceMessaging = {
  service: 'token-issuer',
  hears: [hear(DeviceRegistered, ['merchantId']), hear(PurchaseCompleted, ['merchantId'])],
  says: [],
  asks: [],
};
const registered = DeviceRegistered.type;
const completed = PurchaseCompleted.type;

function message(type: string, id: string, merchantId: unknown = 'default'): RawMessage {
  const { body, contentType, headers } = toMessage({ specversion: '1.0', id, source: '/x', type, correlationid: `act-${id}`, data: { merchantId } });
  return { body, contentType, headers, exchange: 'latchkey.events', routingKey: type, publisher: 'checkout-default', attempt: 1, redelivered: false };
}

describe('EventStrategy', () => {
  let consume: BatchHandler;
  let answer: RequestHandler;
  let stopped: number;
  const reports: string[] = [];
  const running = { stop: async (): Promise<void> => void (stopped += 1) };
  const broker = {
    consume: async (_: unknown, handler: BatchHandler) => ((consume = handler), running),
    serve: async (_: unknown, handler: RequestHandler) => ((answer = handler), running),
  } as unknown as Broker;

  function strategy(): EventStrategy {
    return new EventStrategy({
      broker,
      messaging,
      checkouts: checkoutUsers(new Map()),
      observer: {
        handled: (type, verdict) => reports.push(`${type} ${verdict.kind}`),
        failed: (type) => reports.push(`${type} failed`),
        answered: (name, outcome) => reports.push(`${name} ${outcome}`),
      },
      isUnavailable: (error) => error instanceof RangeError,
    });
  }
  const listen = (one: EventStrategy): Promise<void> =>
    new Promise((resolve, reject) => one.listen((error) => (error instanceof Error ? reject(error) : resolve())));
  const ids = (batch: unknown): string[] => (batch as Delivery[]).map(({ event }) => event.id);

  beforeEach(() => {
    stopped = 0;
    reports.length = 0;
  });

  it('hands each type over as one batch, puts poison aside, and answers in the order that came', async () => {
    const batches: string[][] = [];
    const one = strategy();
    one.addHandler(registered, async (batch: unknown) => void batches.push(ids(batch)), true);
    one.addHandler(completed, async (batch: unknown) => {
      batches.push(ids(batch));
      return ids(batch).map((id): Verdict => (id === '4' ? { kind: 'retry', reason: 'early' } : { kind: 'done' }));
    }, true);
    await listen(one);
    const verdicts = await consume([message(completed, '1'), message(registered, '2'), message(completed, '3', 7), message(completed, '4'), message(registered, '5')]);
    expect(batches).toEqual([['1', '4'], ['2', '5']]);
    expect(verdicts.map((verdict) => verdict.kind)).toEqual(['done', 'done', 'quarantine', 'retry', 'done']);
  });

  it('tries one by one when a batch fails, so that the bad one harms no other; an error is a retry, not an end', async () => {
    const calls: string[][] = [];
    const one = strategy();
    one.addHandler(completed, async () => undefined, true);
    // As Nest's proxy does it: an error of the handler comes back as a stream that errors.
    one.addHandler(registered, async (batch: unknown) => {
      calls.push(ids(batch));
      return ids(batch).includes('bad') ? throwError(() => new TypeError('boom')) : undefined;
    }, true);
    await listen(one);
    const verdicts = await consume([message(registered, '1'), message(registered, 'bad'), message(registered, '3')]);
    expect(calls).toEqual([['1', 'bad', '3'], ['1'], ['bad'], ['3']]);
    expect(verdicts).toEqual([{ kind: 'done' }, { kind: 'retry', reason: 'the handler failed: TypeError' }, { kind: 'done' }]);
  });

  it('treats a handler that answers too few verdicts as one that failed', async () => {
    const one = strategy();
    one.addHandler(completed, async () => undefined, true);
    one.addHandler(registered, async () => [], true);
    await listen(one);
    expect(await consume([message(registered, '1')])).toEqual([{ kind: 'retry', reason: 'the handler failed: Error' }]);
  });

  it('answers requests with a value, a refusal, or internal without a word about why', async () => {
    const one = strategy();
    for (const type of [registered, completed]) one.addHandler(type, async () => undefined, true);
    one.addHandler('cookie.get', async (input: unknown) => {
      if (input === 'unknown') throw new Problem('cookie-unknown');
      if (input === 'away') throw new RangeError('the database is away');
      if (input === 'bug') return throwError(() => new Error('select * from secrets'));
      return { input, correlationId: currentCorrelationId() };
    });
    await listen(one);
    const ask = async (name: string, input: unknown): Promise<unknown> =>
      JSON.parse((await answer({ name, body: Buffer.from(JSON.stringify(input)), correlationId: 'act-9', deadlineMs: 0 })).toString());
    expect(await ask('cookie.get', 'x')).toEqual({ ok: true, value: { input: 'x', correlationId: 'act-9' } });
    expect(await ask('cookie.get', 'unknown')).toEqual({ ok: false, problem: { code: 'cookie-unknown', status: 404 } });
    expect(await ask('cookie.get', 'away')).toEqual({ ok: false, problem: { code: 'unavailable', status: 503, retryAfterSeconds: 1 } });
    expect(await ask('cookie.get', 'bug')).toEqual({ ok: false, problem: { code: 'internal', status: 500 } });
    expect(await ask(registered, {})).toMatchObject({ ok: false, problem: { code: 'internal' } });
  });

  it('does not start with an event that nobody handles, nor with a handler for what the service does not hear', async () => {
    const deaf = strategy();
    deaf.addHandler(registered, async () => undefined, true);
    await expect(listen(deaf)).rejects.toThrow(completed);
    const eager = strategy();
    for (const type of [registered, completed, 'token.issued.v1']) eager.addHandler(type, async () => undefined, true);
    await expect(listen(eager)).rejects.toThrow('token.issued.v1');
  });

  it('stops what it started, once', async () => {
    const one = strategy();
    for (const type of [registered, completed]) one.addHandler(type, async () => undefined, true);
    await listen(one);
    await one.close();
    await one.close();
    expect(stopped).toBe(1);
  });
});
