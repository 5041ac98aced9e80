import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { type Broker, type IncomingRequest, RequestTimeout, RequestUnroutable } from '../src/broker.js';

/** A request with a body of text. */
export function asking(text: string, timeoutMs = 5_000): { name: string; body: Buffer; correlationId: string; timeoutMs: number } {
  return { name: 'token-issuer.echo', body: Buffer.from(text), correlationId: `correlation of ${text}`, timeoutMs };
}

/** The part of the contract that is about requests and answers. */
export function describeRequestContract(bus: () => Broker): void {
  it('carries a request to the service and its answer back', async () => {
    const requests: IncomingRequest[] = [];
    await bus().serve('token-issuer', async (request) => {
      requests.push(request);
      return Buffer.concat([request.body, Buffer.from([0, 255])]);
    });
    const answer = await bus().request('token-issuer', asking('hello'));
    expect(answer).toEqual(Buffer.concat([Buffer.from('hello'), Buffer.from([0, 255])]));
    expect(requests).toMatchObject([{ name: 'token-issuer.echo', body: Buffer.from('hello'), correlationId: 'correlation of hello' }]);
    const remainingMs = requests[0]!.deadlineMs - Date.now();
    expect(remainingMs).toBeGreaterThan(3_000);
    expect(remainingMs).toBeLessThanOrEqual(5_000);
  });

  it('gives each of many requests at once its own answer', async () => {
    await bus().serve('token-issuer', async ({ body, correlationId }) => {
      await delay(Math.random() * 20);
      return Buffer.from(`${body.toString()} / ${correlationId}`);
    });
    const texts = Array.from({ length: 300 }, (_, index) => `request ${index}`);
    const answers = await Promise.all(texts.map((text) => bus().request('token-issuer', asking(text))));
    expect(answers.map(String)).toEqual(texts.map((text) => `${text} / correlation of ${text}`));
  });

  it('says at once when nobody serves such requests', async () => {
    const startMs = performance.now();
    await expect(bus().request('device-registry', asking('anybody?'))).rejects.toBeInstanceOf(RequestUnroutable);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('gives up at the deadline, and hears no late answer', async () => {
    const released = Promise.withResolvers<void>();
    await bus().serve('token-issuer', async ({ body }) => {
      if (body.toString() === 'slow') await released.promise;
      return body;
    });
    await expect(bus().request('token-issuer', asking('slow', 100))).rejects.toBeInstanceOf(RequestTimeout);
    released.resolve();
    expect(String(await bus().request('token-issuer', asking('quick')))).toBe('quick');
  });

  it('gets no answer where the handler fails, and goes on serving', async () => {
    await bus().serve('token-issuer', async ({ body }) => {
      if (body.toString() === 'bad') throw new Error('a bug');
      return body;
    });
    await expect(bus().request('token-issuer', asking('bad', 200))).rejects.toBeInstanceOf(RequestTimeout);
    expect(String(await bus().request('token-issuer', asking('good')))).toBe('good');
  });

  it('lets the requests in hand be answered when serving stops', async () => {
    const entered = Promise.withResolvers<void>();
    const running = await bus().serve('token-issuer', async ({ body }) => {
      entered.resolve();
      await delay(150);
      return body;
    });
    const answer = bus().request('token-issuer', asking('in hand'));
    await entered.promise;
    await running.stop();
    expect(String(await answer)).toBe('in hand');
    await expect(bus().request('token-issuer', asking('late', 150))).rejects.toThrow();
  });

  it('does nothing for a request that nobody waits for any more', async () => {
    const served: string[] = [];
    const serve = () =>
      bus().serve('token-issuer', async ({ body }) => {
        served.push(body.toString());
        return body;
      });
    const running = await serve();
    await running.stop();
    await expect(bus().request('token-issuer', asking('expired', 100))).rejects.toThrow();
    await delay(50);
    await serve();
    await eventually(async () => expect(String(await bus().request('token-issuer', asking('fresh', 1_000)))).toBe('fresh'));
    expect(served).toEqual(['fresh']);
  });
}
