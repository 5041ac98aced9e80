import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { PurchaseCompleted } from '@latchkey/contracts';
import { describeWithRabbit } from '@latchkey/kits';
import type { GetMessage } from 'amqplib';
import { CheckoutBench } from './checkout-bench.js';

const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

describeWithRabbit('docs/checkout.md', () => {
  let bench: CheckoutBench;
  let page: string;

  beforeAll(async () => {
    page = await readFile(join(root, 'docs/checkout.md'), 'utf8');
    bench = await CheckoutBench.open();
  });
  afterAll(() => bench?.close());
  afterEach(() => bench.bind(true));

  /** The code under a heading, word for word. */
  const codeUnder = (heading: string, language: string): string => {
    const section = page.split('\n## ').find((text) => text.startsWith(`${heading}\n`));
    const code = section?.split(`\`\`\`${language}\n`)[1]?.split('\n```')[0];
    if (code === undefined) throw new Error(`no ${language} under “${heading}”`);
    return code;
  };

  /** Runs a module as if it lay at the root of the workspace; resolves to what it prints. */
  const runModule = async (code: string): Promise<string> => {
    const runTs = pathToFileURL(join(root, 'tools/run-ts.mjs')).href;
    const { stdout } = await run(process.execPath, ['--import', runTs, '--input-type=module', '--eval', code], { cwd: root, env: { ...process.env, NODE_OPTIONS: '', AMQP_URL: bench.amqpUrl } });
    return stdout.trim();
  };

  function expectEvent({ fields, properties, content }: GetMessage, id: string, user: string): void {
    expect(PurchaseCompleted.schema.parse(JSON.parse(content.toString('utf8')))).toMatchObject({ merchantId: 'acme', purchaseId: 'order-1001' });
    expect([fields.routingKey, properties.messageId]).toEqual(['purchase.completed.v1', id]);
    expect(properties).toMatchObject({ userId: user, deliveryMode: 2, contentType: 'application/json' });
    expect(properties.headers).toMatchObject({ cloudEvents_id: id, cloudEvents_type: 'purchase.completed.v1', cloudEvents_specversion: '1.0', cloudEvents_source: '/checkout' });
  }

  it.each(['In Node, with the SDK', 'In Node, with nothing but amqplib'])('%s: publishes what Latchkey takes, and tells its fate', async (heading) => {
    const code = codeUnder(heading, 'js');
    const [outcome, id] = (await runModule(code)).split(' ');
    expect(outcome).toBe('accepted');
    const messages = await bench.received();
    expect(messages).toHaveLength(1);
    expectEvent(messages[0]!, id!, bench.user);

    await bench.bind(false);
    expect(await runModule(code)).toMatch(/^unroutable /);
  });

  it('By hand: is what the management API takes from a user of its own, and says whether it was routed', async () => {
    const command = codeUnder('By hand, with rabbitmqadmin', 'sh');
    const named = (name: string): string => new RegExp(`${name}=(?:'([^']*)'|(\\S+))`).exec(command)!.slice(1).find(Boolean)!;
    const { vhost } = bench;
    const { username, amqpUrl } = await vhost.createUser('operator');
    const password = new URL(amqpUrl).password;
    await vhost.management.request('PUT', `/api/users/${username}`, { password, tags: 'management' });
    const publish = async (): Promise<unknown> => {
      const { authorization, origin } = { authorization: `Basic ${btoa(`${username}:${password}`)}`, origin: process.env['LATCHKEY_TEST_RABBITMQ_MANAGEMENT_URL']! };
      const properties: unknown = JSON.parse(named('properties').replace('"operator"', JSON.stringify(username)));
      const body = { routing_key: named('routing_key'), payload: named('payload'), payload_encoding: 'string', properties };
      const response = await fetch(`${origin}/api/exchanges/${vhost.name}/${named('exchange')}/publish`, { method: 'POST', headers: { authorization }, body: JSON.stringify(body) });
      return response.json();
    };
    expect(await publish()).toEqual({ routed: true });
    expectEvent((await bench.received())[0]!, 'by-hand-1', username);
    await bench.bind(false);
    expect(await publish()).toEqual({ routed: false });
  });

  it('names the example that stands on its own, and it runs', async () => {
    expect(page).toContain('(../examples/publish-purchase.mjs)');
    const data = JSON.stringify({ ...PurchaseCompleted.example, merchantId: 'acme' });
    const { stdout } = await run(process.execPath, ['examples/publish-purchase.mjs', data, 'example-1'], { cwd: root, env: { ...process.env, NODE_OPTIONS: '', AMQP_URL: bench.amqpUrl } });
    expect(stdout.trim()).toBe('accepted');
    expectEvent((await bench.received())[0]!, 'example-1', bench.user);
  });
});
