import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually, freePort, startProcess, type StartedProcess } from '@latchkey/kits';
import { belongingsOf } from './access-examples.js';
import type { Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

let standalone: Standalone;
let merchant: Merchant;
let receiver: StartedProcess;
let port: number;
let webhook: { webhookId: string; secret: string };

/** The receiver of the documentation, as a merchant would run it. */
const startReceiver = (): Promise<StartedProcess> =>
  startProcess({ entry: 'examples/receive-webhooks.mjs', env: { LATCHKEY_WEBHOOK_SECRET: webhook.secret, PORT: String(port) } });
const printed = (): { id: string; type: string; data: Record<string, unknown> }[] =>
  receiver.stdout().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as never);

beforeAll(async () => {
  standalone = await startStandalone();
  merchant = await standalone.merchant();
  port = await freePort();
  webhook = (await merchant.expect(201, '/v1/webhooks', { url: `http://127.0.0.1:${port}/latchkey?key=swordfish` })) as never;
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.kill('SIGKILL');
  await standalone.remove();
});

it('tells a merchant by webhook of what happens', async () => {
  const { purchaseId, deviceId } = await belongingsOf(merchant);
  await eventually(() => {
    const told = new Map(printed().map(({ type, data }) => [type, data]));
    expect(told.get('device.registered.v1')).toMatchObject({ merchantId: 'default', deviceId });
    expect(told.get('token.issued.v1')).toMatchObject({ merchantId: 'default', purchaseId, deviceId });
  });
});

it('forgets nothing that a receiver missed, though it is killed meanwhile', async () => {
  await receiver.kill('SIGKILL');
  const { purchaseId } = await belongingsOf(merchant);
  await standalone.process.kill('SIGKILL');
  receiver = await startReceiver();
  await standalone.restart();
  const { deliveries } = (await merchant.expect(200, `/v1/webhooks/${webhook.webhookId}/deliveries?state=pending`)) as { deliveries: { deliveryId: string }[] };
  // Their own next attempts come in their time; a merchant that is back may ask. What the dead process had in hand, its lease gives back.
  for (const { deliveryId } of deliveries) await merchant.expect(202, `/v1/webhooks/${webhook.webhookId}/deliveries/${deliveryId}/redeliver`, undefined, { method: 'POST' });
  await eventually(() => expect(printed().filter(({ type, data }) => type === 'token.issued.v1' && data['purchaseId'] === purchaseId)).toHaveLength(1), { timeoutMs: 45_000 });
});

it('keeps the secret and the URL out of its log', async () => {
  const log = await standalone.log();
  expect(log).toContain(webhook.webhookId);
  for (const secret of ['swordfish', webhook.secret.slice('whsec_'.length)]) expect(log).not.toContain(secret);
});
