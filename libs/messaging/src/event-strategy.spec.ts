import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear, Problem, PurchaseCompleted, PurchaseRefunded, type ServiceMessaging } from '@latchkey/contracts';
import { throwError } from 'rxjs';
import { type BatchHandler, type Broker, type RawMessage, type RequestHandler, retryLadder, type Verdict } from './broker.js';
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
    policy: { ladder: retryLadder, attemptsMax: 3, urgentAttemptsMax: 5 },
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
        waiting: (type, reason) => reports.push(`waiting ${type} ${reason}`),
        goesOn: (type) => reports.push(`goes on ${type}`),
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

  it('has a whole batch wait while a part is away, reports it once when it begins and once when it ends', async () => {
    let away: Error | undefined = new RangeError('the database is away');
    let calls = 0;
    const one = strategy();
    one.addHandler(completed, async () => undefined, true);
    one.addHandler(registered, async () => {
      calls += 1;
      if (away) throw away;
    }, true);
    await listen(one);
    const batch = [message(registered, '1'), message(completed, '2'), message(registered, '3')];
    for (let round = 0; round < 3; round += 1) {
      expect((await consume(batch)).map(({ kind }) => kind)).toEqual(['wait', 'done', 'wait']);
    }
    expect(calls).toBe(3);
    away = new Problem('unavailable');
    expect((await consume(batch)).map(({ kind }) => kind)).toEqual(['wait', 'done', 'wait']);
    away = undefined;
    expect((await consume(batch)).map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(reports.filter((report) => report.includes(registered))).toEqual([
      `waiting ${registered} RangeError`,
      `goes on ${registered}`,
      `${registered} done`,
      `${registered} done`,
    ]);
  });

  it('says whether the whole queue waits, and reports one outage of a called service once, whatever is handled meanwhile', async () => {
    let cookieServiceAway = true;
    const one = strategy();
    one.addHandler(registered, async () => Promise.reject(new RangeError('the database is away')), true);
    const noAnswer: Verdict = { kind: 'wait', reason: 'no answer' };
    one.addHandler(
      completed,
      async (batch: unknown) => ids(batch).map((id): Verdict => (cookieServiceAway && id === 'needy' ? noAnswer : { kind: 'done' })),
      true,
    );
    await listen(one);
    expect(await consume([message(registered, '1')])).toEqual([{ kind: 'wait', reason: 'RangeError', queueWaits: true }]);
    for (let round = 0; round < 5; round += 1) {
      expect(await consume([message(completed, 'needy'), message(completed, '1')])).toEqual([noAnswer, { kind: 'done' }]);
      expect(await consume([message(completed, '2')])).toEqual([{ kind: 'done' }]);
    }
    cookieServiceAway = false;
    await consume([message(completed, 'needy')]);
    expect(reports.filter((report) => /^(?:waiting|goes on)/.test(report))).toEqual([
      `waiting ${registered} RangeError`,
      `waiting ${completed} no answer`,
      `goes on ${completed}`,
    ]);
  });

  it('retries an urgent event urgently, and reports the last attempt as what it is', async () => {
    const one = new EventStrategy({ ...strategy()['options'], messaging: { ...messaging, hears: [hear(PurchaseRefunded, ['merchantId'])] } });
    one.addHandler(PurchaseRefunded.type, async () => Promise.reject(new Error('boom')), true);
    await listen(one);
    const attempt = async (n: number): Promise<readonly Verdict[]> => consume([{ ...message(PurchaseRefunded.type, 'r'), attempt: n }]);
    expect(await attempt(3)).toEqual([{ kind: 'retry', urgent: true, reason: 'the handler failed: Error' }]);
    await attempt(5);
    expect(reports).toEqual([
      `${PurchaseRefunded.type} failed`,
      `${PurchaseRefunded.type} retry`,
      `${PurchaseRefunded.type} failed`,
      `${PurchaseRefunded.type} quarantine`,
    ]);
  });

  it('leaves a type that a newer replica has bound to that replica, and puts aside what no binding explains', async () => {
    const one = strategy();
    for (const type of [registered, completed]) one.addHandler(type, async () => undefined, true);
    await listen(one);
    const newer = message('device.moved.v1', '1');
    const verdicts = await consume([newer, { ...newer, exchange: '', routingKey: 'token-issuer.in' }, { ...newer, attempt: 3 }]);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['retry', 'quarantine', 'retry']);
    expect(reports).toEqual(['unreadable retry', 'unreadable quarantine', 'unreadable quarantine']);
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
