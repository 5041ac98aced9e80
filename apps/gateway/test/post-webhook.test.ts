import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AttemptOutcome, type Network, postWebhook } from '../src/webhooks/post-webhook.js';
import type { ResolveHost } from '../src/webhooks/resolve-host.js';
import { answering, WebhookReceiver } from './webhook-receiver.js';

const receivers: WebhookReceiver[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  for (const server of servers.splice(0)) server.close();
});

async function receive(): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start();
  receivers.push(receiver);
  return receiver;
}

const unknown: ResolveHost = async () => {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
};
const standsFor = (...addresses: string[]): ResolveHost => async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

function post(url: string, network: Partial<Network> = {}): Promise<AttemptOutcome> {
  const request = { url: new URL(url), headers: { 'webhook-id': 'msg_1', 'content-type': 'application/json' }, body: '{"ä":1}' };
  return postWebhook(request, { reach: 'loopback', timeoutMs: 2_000, resolve: unknown, stopping: new AbortController().signal, ...network });
}
const unanswered = (failure: string): unknown => ({ kind: 'unanswered', failure });

describe('a message', () => {
  it('is posted to the URL, whole', async () => {
    const receiver = await receive();
    expect(await post(receiver.url)).toEqual({ kind: 'answered', status: 204, retryAfterSeconds: undefined });
    expect(receiver.received).toEqual([expect.objectContaining({ method: 'POST', path: '/hook?merchant=secret', body: '{"ä":1}' })]);
    expect(receiver.received[0]!.headers).toMatchObject({ host: `127.0.0.1:${receiver.port}`, 'webhook-id': 'msg_1', 'content-length': '8' });
  });

  it('is not taken along by a redirect', async () => {
    const [target, receiver] = [await receive(), await receive()];
    for (const status of [301, 302, 307, 308]) {
      receiver.answer = answering(status, { location: target.url });
      expect(await post(receiver.url)).toMatchObject({ kind: 'answered', status });
    }
    expect(target.received).toEqual([]);
  });

  it('brings back when to come again', async () => {
    const receiver = await receive();
    receiver.answer = answering(503, { 'retry-after': '120' });
    expect(await post(receiver.url)).toEqual({ kind: 'answered', status: 503, retryAfterSeconds: 120 });
  });
});

describe('an address that is not allowed', () => {
  it.each([
    ['no', '127.0.0.1'],
    ['no', '10.0.0.1'],
    ['loopback', '10.0.0.1'],
    ['loopback', '169.254.169.254'],
    ['yes', '169.254.169.254'],
    ['yes', '0.0.0.0'],
  ] as const)('is not connected to: with %s, %s', async (reach, address) => {
    const receiver = await receive();
    // Where it were connected to, there would be an answer, a refusal or the end of the time: anything but this.
    expect(await post(`http://${address}:${receiver.port}/`, { reach })).toEqual(unanswered('address-refused'));
    expect(await post(`https://shop.example:${receiver.port}/`, { reach, resolve: standsFor(address) })).toEqual(unanswered('address-refused'));
    expect(receiver.received).toEqual([]);
  });

  it('is refused in company too', async () => {
    const receiver = await receive();
    expect(await post(`http://shop.example:${receiver.port}/`, { resolve: standsFor('127.0.0.1', '10.0.0.1') })).toEqual(unanswered('address-refused'));
    expect(receiver.received).toEqual([]);
  });

  it('is not reached by a name that stands for another one when it is connected to', async () => {
    const receiver = await receive();
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254']];
    let asked = 0;
    const rebinding: ResolveHost = (name) => standsFor(...answers[Math.min(asked++, 2)]!)(name);
    // The name means nothing to this machine: whoever looked it up once more would not come here.
    expect(await post(`http://rebinding.invalid:${receiver.port}/hook`, { resolve: rebinding })).toMatchObject({ kind: 'answered', status: 204 });
    expect(asked).toBe(1);
    expect(receiver.received[0]!.headers.host).toBe(`rebinding.invalid:${receiver.port}`);
    expect(await post(`http://rebinding.invalid:${receiver.port}/hook`, { resolve: rebinding })).toEqual(unanswered('address-refused'));
    expect(receiver.received).toHaveLength(1);
  });

  it('may be told of a second one that answers, where the first does not', async () => {
    const receiver = await receive();
    expect(await post(`http://shop.example:${receiver.port}/`, { resolve: standsFor('::1', '127.0.0.1') })).toMatchObject({ status: 204 });
  });

  it('is not used without TLS where it is public', async () => {
    expect(await post('http://shop.example/', { reach: 'yes', resolve: standsFor('93.184.215.14') })).toEqual(unanswered('insecure-refused'));
  });
});

describe('no answer', () => {
  const listen = async (onConnection: Parameters<typeof createServer>[1]): Promise<string> => {
    const server = createServer({}, onConnection as never).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  };

  it('is a name that nobody knows', async () => {
    expect(await post('http://shop.example/')).toEqual(unanswered('name-unknown'));
  });

  it('is a name server that lets us wait', async () => {
    expect(await post('http://shop.example/', { timeoutMs: 100, resolve: () => new Promise(() => undefined) })).toEqual(unanswered('timeout'));
  });

  it('is a refused connection', async () => {
    const receiver = await receive();
    const { url } = receiver;
    await receivers.pop()!.stop();
    expect(await post(url)).toEqual(unanswered('connection'));
  });

  it('is a receiver that hangs up, or speaks no HTTP', async () => {
    expect(await post(`http://${await listen((socket) => socket.destroy())}/`)).toEqual(unanswered('connection'));
    expect(await post(`http://${await listen((socket) => socket.end('220 mail.example\r\n'))}/`)).toEqual(unanswered('connection'));
    expect(await post(`http://${await listen((socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'))}/`)).toEqual(unanswered('connection'));
  });

  it('is a receiver that lets us wait', async () => {
    const address = await listen((socket) => void setTimeout(() => socket.destroy(), 5_000).unref());
    expect(await post(`http://${address}/`, { timeoutMs: 100 })).toEqual(unanswered('timeout'));
  });

  it('is a receiver without TLS where it should have it', async () => {
    const receiver = await receive();
    expect(await post(`https://127.0.0.1:${receiver.port}/`)).toEqual(unanswered('tls'));
    expect(receiver.received).toEqual([]);
  });

  it('is nobody’s fault where we stop', async () => {
    const controller = new AbortController();
    const address = await listen(() => setTimeout(() => controller.abort(), 50));
    expect(await post(`http://${address}/`, { stopping: controller.signal })).toEqual({ kind: 'interrupted' });
    expect(await post(`http://${address}/`, { stopping: controller.signal })).toEqual({ kind: 'interrupted' });
  });
});

describe('an answer without end', () => {
  it('counts by its status, and is not read on', async () => {
    const receiver = await receive();
    let closed = false;
    receiver.answer = (response) => {
      response.writeHead(200);
      const pour = setInterval(() => response.write('x'.repeat(1_024)), 1);
      response.once('close', () => {
        clearInterval(pour);
        closed = true;
      });
    };
    const startedMs = performance.now();
    expect(await post(receiver.url, { timeoutMs: 5_000 })).toMatchObject({ kind: 'answered', status: 200 });
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(true);
  });

  it('is left when the time is over', async () => {
    const receiver = await receive();
    receiver.answer = (response) => void response.writeHead(200).write('x');
    expect(await post(receiver.url, { timeoutMs: 200 })).toMatchObject({ kind: 'answered', status: 200 });
  });
});
