import type { FakeDevice } from '@latchkey/kits';

type Json = Record<string, unknown>;

/** An answer of the gateway. */
export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

/** A merchant's back end, which knows Latchkey by its HTTP API alone. */
export class Merchant {
  constructor(
    readonly gatewayUrl: string,
    readonly apiKey: string,
  ) {}

  /** One call. A body makes it a POST. */
  async call(path: string, body?: Json, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    const response = await fetch(this.gatewayUrl + path, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Bearer ${this.apiKey}`, ...(body && { 'content-type': 'application/json' }), ...options.headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json), headers: response.headers };
  }

  /** One call that must answer with this status; resolves to its body. */
  async expect(status: number, path: string, body?: Json, options?: { method?: string }): Promise<Json> {
    const answer = await this.call(path, body, options);
    if (answer.status !== status) throw new Error(`${path} answered ${answer.status} ${String(answer.body['code'])}, not ${status}`);
    return answer.body;
  }

  /** A fresh cookie of an account. */
  async cookie(accountId = 'alice', ttlSeconds?: number): Promise<string> {
    return String((await this.expect(201, '/v1/cookies', { accountId, ...(ttlSeconds && { ttlSeconds }) }))['cookie']);
  }

  /** Has a device bind itself to a cookie; resolves to the status that the device got. */
  async register(device: FakeDevice, cookie: string, sendTo?: string): Promise<number> {
    const { token, licenseUrl } = await this.expect(201, '/v1/registration-tokens', { cookie });
    return (await device.license({ licenseUrl: String(licenseUrl), token: String(token), ...(sendTo && { sendTo }) })).status;
  }

  /** Stores a fresh content key. */
  async contentKey(): Promise<{ kid: string; key: string }> {
    const [kid, key] = [hex(), hex()];
    await this.expect(201, `/v1/content-keys/${kid}`, { key }, { method: 'PUT' });
    return { kid, key };
  }

  /** The token of a purchase, waited for. */
  async token(purchaseId: string, waitSeconds = 20): Promise<{ token: string; tokenId: string; licenseUrl: string; deviceId: string }> {
    return (await this.expect(200, `/v1/purchases/${purchaseId}/token?waitSeconds=${waitSeconds}`)) as never;
  }
}

/** 16 random bytes in hex. */
export function hex(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

/** A content key as a licence writes it. */
export function base64url(value: string): string {
  return Buffer.from(value, 'hex').toString('base64url');
}
