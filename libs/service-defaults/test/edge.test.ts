import 'reflect-metadata';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operations, Problem } from '@latchkey/contracts';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpAdapter, createLogger, EdgeFilter, equipHttp, Health, Input, Metrics, Operation } from '../src/index.js';

@Controller()
class Cookies {
  @Operation(operations.createCookie)
  create(@Input() { body }: { body: { accountId: string } }): unknown {
    if (body.accountId === 'refused') throw new Problem('rate-limited', { retryAfterSeconds: 7 });
    if (body.accountId === 'bug') throw new Error('select * from secrets');
    return { accountId: body.accountId };
  }
}

@Module({ controllers: [Cookies] })
class Edge {}

describe('the HTTP edge', () => {
  let app: NestFastifyApplication;
  let origin: string;
  const post = (body: string | undefined, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<Response> =>
    fetch(`${origin}/v1/cookies`, { method: 'POST', headers, body });
  const problem = async (answer: Response): Promise<Record<string, unknown>> => {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const document = (await answer.json()) as Record<string, unknown>;
    expect(document).toMatchObject({ status: answer.status, title: expect.any(String), type: `urn:latchkey:problem:${String(document['code'])}` });
    return document;
  };

  beforeAll(async () => {
    const logger = createLogger('cookie', 'silent');
    const filter = new EdgeFilter(logger);
    app = await NestFactory.create<NestFastifyApplication>(Edge, createHttpAdapter({ filter }), { logger: false, bodyParser: false });
    app.useGlobalFilters(filter);
    equipHttp(app.getHttpAdapter().getInstance(), { service: 'cookie', bodies: 'json', filter, logger, metrics: new Metrics(), health: new Health() });
    await app.listen(0, '127.0.0.1');
    origin = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  });
  afterAll(() => app.close());

  it('answers with the status of the operation and a request id', async () => {
    const answer = await post('{"accountId":"alice"}', { 'content-type': 'application/vnd.shop+json; charset=utf-8', 'x-request-id': 'act-1' });
    expect([answer.status, await answer.json()]).toEqual([201, { accountId: 'alice' }]);
    expect(answer.headers.get('x-request-id')).toBe('act-1');
  });

  it.each<[string, string | undefined, Record<string, string> | undefined, number, string]>([
    ['JSON that breaks off', '{"accountId":', undefined, 400, 'invalid-request'],
    ['JSON that is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), undefined, 400, 'invalid-request'],
    ['no body', '', undefined, 400, 'invalid-request'],
    ['a list', '[]', undefined, 400, 'invalid-request'],
    ['a prototype', '{"accountId":"a","__proto__":{"x":1}}', undefined, 400, 'unknown-member'],
    ['a form', 'accountId=alice', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported-media-type'],
    ['64 KiB and a byte', JSON.stringify({ accountId: 'x'.repeat(65_537 - 16) }), undefined, 413, 'payload-too-large'],
    ['deep nesting', '['.repeat(30_000) + ']'.repeat(30_000), undefined, 400, 'invalid-request'],
  ])('refuses %s', async (_, body, headers, status, code) => {
    const answer = await post(body, headers);
    expect(await problem(answer)).toMatchObject({ status, code });
  });

  it('takes a body of exactly 64 KiB as far as its size goes', async () => {
    expect((await post(JSON.stringify({ accountId: 'x'.repeat(65_536 - 16) }))).status).toBe(400);
  });

  it('says when to come again', async () => {
    const answer = await post('{"accountId":"refused"}');
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(await problem(answer)).toMatchObject({ code: 'rate-limited', status: 429 });
  });

  it('keeps an unknown error to itself, but for the request id', async () => {
    const answer = await post('{"accountId":"bug"}');
    const document = await problem(answer);
    expect(document).toEqual({ type: expect.any(String), title: expect.any(String), status: 500, code: 'internal', requestId: answer.headers.get('x-request-id') });
  });

  it('tells a path that does not exist from a method that does not fit', async () => {
    expect(await problem(await fetch(`${origin}/v1/nothing`))).toMatchObject({ code: 'not-found', status: 404 });
    const wrongMethod = await fetch(`${origin}/v1/cookies`, { method: 'DELETE' });
    expect(wrongMethod.headers.get('allow')).toBe('POST');
    expect(await problem(wrongMethod)).toMatchObject({ code: 'method-not-allowed', status: 405 });
  });

  it('answers a malformed URL, and what is no HTTP at all, with a problem', async () => {
    expect(await problem(await fetch(`${origin}/v1/cookies/%zz`))).toMatchObject({ code: 'invalid-request' });
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString())).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"invalid-request"/);
  });

  it('counts requests by route template, so that no cookie reaches a metric', async () => {
    await fetch(`${origin}/v1/cookies/s3cret`);
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    expect(metrics).toMatch(/latchkey_http_request_duration_seconds_count\{service="cookie",method="POST",route="\/v1\/cookies",status="201"\} 1/);
    expect(metrics).not.toContain('s3cret');
  });
});
