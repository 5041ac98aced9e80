import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type IncomingRequest, RequestTimeout, RequestUnroutable } from '../broker.js';
import { RequestDesk } from './request-desk.js';

const request = { name: 'cookie.get', body: Buffer.from('question'), correlationId: 'c-1', timeoutMs: 2_000 };

function makeDesk(): { desk: RequestDesk; failures: unknown[] } {
  const failures: unknown[] = [];
  return { desk: new RequestDesk((...failure) => failures.push(failure)), failures };
}

describe('RequestDesk', () => {
  it('hands over the request with its deadline, and the answer back', async () => {
    const { desk } = makeDesk();
    const seen: IncomingRequest[] = [];
    desk.serve('cookie', async (incoming) => {
      seen.push(incoming);
      return Buffer.from('answer');
    });
    const answer = await desk.request('cookie', request);
    expect(answer.toString()).toBe('answer');
    expect(seen).toEqual([{ name: 'cookie.get', body: Buffer.from('question'), correlationId: 'c-1', deadlineMs: expect.any(Number) }]);
    expect(seen[0]!.deadlineMs - Date.now()).toBeGreaterThan(1_000);
  });

  it('is unroutable where nobody serves, or nobody serves any more', async () => {
    const { desk } = makeDesk();
    await expect(desk.request('cookie', request)).rejects.toThrow(RequestUnroutable);
    await desk.serve('cookie', async () => Buffer.from('')).stop();
    await expect(desk.request('cookie', request)).rejects.toThrow(RequestUnroutable);
  });

  it('times out, and an answer after that goes nowhere', async () => {
    const { desk } = makeDesk();
    const server = desk.serve('cookie', async () => delay(400, Buffer.from('late')));
    await expect(desk.request('cookie', { ...request, timeoutMs: 200 })).rejects.toThrow(RequestTimeout);
    await server.stop();
  });

  it('does not begin what is already late', async () => {
    const { desk } = makeDesk();
    let begun = 0;
    desk.serve('cookie', async () => {
      begun += 1;
      return Buffer.from('');
    });
    const asked = desk.request('cookie', { ...request, timeoutMs: 20 });
    const refused = expect(asked).rejects.toThrow(RequestTimeout);
    const untilMs = Date.now() + 40;
    while (Date.now() < untilMs);
    await refused;
    expect(begun).toBe(0);
  });

  it('reports a handler that fails, and leaves the asker to its timeout', async () => {
    const { desk, failures } = makeDesk();
    desk.serve('cookie', async () => {
      throw new Error('broken');
    });
    await expect(desk.request('cookie', { ...request, timeoutMs: 300 })).rejects.toThrow(RequestTimeout);
    expect(failures).toEqual([['cookie', 'cookie.get', new Error('broken')]]);
  });

  it('runs the handler outside of the asker’s async context', async () => {
    const { desk } = makeDesk();
    const transaction = new AsyncLocalStorage<string>();
    desk.serve('cookie', async () => Buffer.from(transaction.getStore() ?? 'none'));
    const answer = await transaction.run('the asker’s', () => desk.request('cookie', request));
    expect(answer.toString()).toBe('none');
  });

  it('shares no bytes between asker and server', async () => {
    const { desk } = makeDesk();
    const kept = Buffer.from('kept');
    desk.serve('cookie', async ({ body }) => {
      body.fill(0);
      return kept;
    });
    const answer = await desk.request('cookie', request);
    answer.fill(0);
    expect([request.body.toString(), kept.toString()]).toEqual(['question', 'kept']);
  });

  it('lets what is under way end before it has stopped', async () => {
    const { desk } = makeDesk();
    const server = desk.serve('cookie', async () => delay(50, Buffer.from('answered')));
    const order: string[] = [];
    const asked = desk.request('cookie', request).then((answer) => order.push(answer.toString()));
    await server.stop().then(() => order.push('stopped'));
    await asked;
    expect(order).toEqual(['answered', 'stopped']);
  });

  it('lets the servers of one service take turns', async () => {
    const { desk } = makeDesk();
    desk.serve('cookie', async () => Buffer.from('a'));
    desk.serve('cookie', async () => Buffer.from('b'));
    const answers: string[] = [];
    for (let i = 0; i < 4; i += 1) answers.push((await desk.request('cookie', request)).toString());
    expect(answers).toEqual(['a', 'b', 'a', 'b']);
  });
});
