import { connectCheckout } from '@latchkey/checkout-sdk';
import { type DemoDevice, type LicenseAnswer, makeDemoDevice, toBase64url } from './demo-device.js';
import type { Narrator } from './narrator.js';
import type { DemoTarget } from './target.js';

type Json = Readonly<Record<string, unknown>>;

/** Tells the story against a running Latchkey. Throws when it does not go as it should. */
export class Story {
  private readonly run = Date.now().toString(36);
  private readonly kid = hexId();
  private readonly contentKey = hexId();
  private readonly purchaseId = `demo-${this.run}`;

  constructor(
    private readonly target: DemoTarget,
    private readonly narrator: Narrator,
  ) {}

  /** Plays every step. */
  async play(): Promise<void> {
    const device = await makeDemoDevice();
    const cookie = await this.makeCookie();
    await this.registerDevice(device, cookie);
    await this.retrieveRecord(device, cookie);
    await this.storeContentKey();
    await this.purchase(cookie);
    const { token, licenseUrl } = await this.collectToken();
    await this.watch(device, token, licenseUrl);
    await this.beRobbed(token, licenseUrl);
    await this.refund(device, token, licenseUrl);
  }

  private async makeCookie(): Promise<string> {
    this.narrator.step('The merchant makes a cookie for its customer');
    return text((await this.call('POST', '/v1/cookies', 201, { accountId: `viewer-${this.run}` }))['cookie']);
  }

  private async registerDevice(device: DemoDevice, cookie: string): Promise<void> {
    this.narrator.step('… asks for a registration token, and hands it to the device');
    const { token, licenseUrl } = await this.call('POST', '/v1/registration-tokens', 201, { cookie });
    this.narrator.step('The device asks for a licence with it: that binds its key to the cookie. The licence opens nothing');
    this.narrator.say(`device id (thumbprint of its key): ${device.id}`);
    this.expect(await this.ask(device, text(licenseUrl), text(token), []), 200);
  }

  private async retrieveRecord(device: DemoDevice, cookie: string): Promise<void> {
    this.narrator.step('Record retrieval: which device is bound to the cookie?');
    const record = await this.call('GET', `/v1/cookies/${encodeURIComponent(cookie)}/device`, 200);
    if (record['deviceId'] !== device.id) throw new Error('the record names another device');
  }

  private async storeContentKey(): Promise<void> {
    this.narrator.step('The packager stores the content key; it is wrapped before it is written');
    await this.call('PUT', `/v1/content-keys/${this.kid}`, 201, { key: this.contentKey, contentId: 'film-42' });
  }

  private async purchase(cookie: string): Promise<void> {
    const purchase = { purchaseId: this.purchaseId, cookie, contentId: 'film-42', kids: [this.kid], rights: { type: 'purchase' as const } };
    if (this.target.checkoutAmqpUrl === undefined) {
      this.narrator.step('The customer pays: the checkout tells Latchkey (here over HTTP; with RabbitMQ it publishes an event)');
      await this.call('POST', '/v1/purchases', 202, purchase);
      return;
    }
    this.narrator.step('The customer pays: the checkout publishes purchase.completed.v1 to RabbitMQ');
    const checkout = await connectCheckout({ url: this.target.checkoutAmqpUrl, merchantId: await this.merchantId() });
    this.narrator.say(`publishPurchaseCompleted(${JSON.stringify(purchase)})`);
    const { outcome, detail } = await checkout.publishPurchaseCompleted(purchase);
    await checkout.close();
    this.narrator.say(`${outcome}: ${detail}`);
    if (outcome !== 'accepted') throw new Error('the broker did not accept the purchase');
  }

  private async collectToken(): Promise<{ token: string; licenseUrl: string }> {
    this.narrator.step('The merchant collects the token, which is restricted to that device');
    // A purchase that was published has been accepted, but its handler may not have committed yet.
    const { token, licenseUrl } = await this.call('GET', `/v1/purchases/${this.purchaseId}/token?waitSeconds=10`, 200);
    return { token: text(token), licenseUrl: text(licenseUrl) };
  }

  private async watch(device: DemoDevice, token: string, licenseUrl: string): Promise<void> {
    this.narrator.step('The device plays: a licence with the content key');
    const answer = await this.ask(device, licenseUrl, token, [this.kid]);
    this.expect(answer, 200);
    if (answer.body.keys?.[0]?.k !== toBase64url(this.contentKey)) throw new Error('the licence holds another key');
  }

  private async beRobbed(token: string, licenseUrl: string): Promise<void> {
    this.narrator.step('A thief copies the token to another device, and is refused');
    this.expect(await this.ask(await makeDemoDevice(), licenseUrl, token, [this.kid]), 401, 'invalid-token');
  }

  private async refund(device: DemoDevice, token: string, licenseUrl: string): Promise<void> {
    this.narrator.step('The purchase is refunded: within a second the token stops working on its own device too');
    await this.call('POST', `/v1/purchases/${this.purchaseId}/refund`, 202, { reason: 'the story ends' });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    this.expect(await this.ask(device, licenseUrl, token, [this.kid]), 401, 'invalid-token');
  }

  private async merchantId(): Promise<string> {
    return text((await this.call('GET', '/v1/merchant', 200))['merchantId']);
  }

  private async ask(device: DemoDevice, licenseUrl: string, token: string, kids: readonly string[]): Promise<LicenseAnswer> {
    const answer = await device.license(token, kids);
    const shown = kids.length === 0 ? undefined : { kids: kids.map(toBase64url), type: 'temporary' };
    this.narrator.exchange('POST', `${licenseUrl} (Authorization: DPoP <token>, DPoP: <proof of the key>)`, shown, answer.status, answer.body);
    return answer;
  }

  private expect(answer: LicenseAnswer, status: number, code?: string): void {
    if (answer.status !== status || answer.body.code !== code) throw new Error(`expected ${status} ${code ?? ''}, got ${answer.status} ${answer.body.code ?? ''}`);
  }

  private async call(method: string, path: string, status: number, body?: Json): Promise<Json> {
    const response = await fetch(this.target.gatewayUrl + path, {
      method,
      headers: { authorization: `Bearer ${this.target.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const received = await response.text();
    const answer = received === '' ? {} : (JSON.parse(received) as Json);
    const shown = body !== undefined && 'key' in body ? { ...body, key: '<content key>' } : body;
    this.narrator.exchange(method, path, shown, response.status, answer);
    if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}`);
    return answer;
  }
}

function hexId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('the answer lacks a member');
  return value;
}
