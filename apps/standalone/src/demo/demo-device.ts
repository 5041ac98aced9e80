import { createProof, type DeviceKey, generateDeviceKey } from '@latchkey/crypto';

/** The answer to a licence request. */
export interface LicenseAnswer {
  readonly status: number;
  readonly body: { readonly code?: string; readonly keys?: readonly { readonly kid: string; readonly k: string }[] };
}

/** A device with a key of its own, as a player would have one. */
export class DemoDevice {
  private readonly key: DeviceKey = generateDeviceKey();

  /** The device id: the thumbprint of its key. */
  get id(): string {
    return this.key.deviceId;
  }

  /** Asks for a licence, proving the key; asked for a nonce, it tries once more with the nonce it was given. */
  async license(licenseUrl: string, token: string, kids: readonly string[]): Promise<LicenseAnswer> {
    const first = await this.send(licenseUrl, token, kids, undefined);
    const nonce = first.headers.get('dpop-nonce');
    const challenge = first.headers.get('www-authenticate') ?? '';
    const last = first.status === 401 && challenge.includes('use_dpop_nonce') && nonce !== null ? await this.send(licenseUrl, token, kids, nonce) : first;
    return { status: last.status, body: (await last.json()) as LicenseAnswer['body'] };
  }

  private send(licenseUrl: string, token: string, kids: readonly string[], nonce: string | undefined): Promise<Response> {
    const proof = createProof({
      privateKey: this.key.privateKey,
      publicJwk: this.key.publicJwk,
      htm: 'POST',
      htu: licenseUrl,
      accessToken: token,
      nonce,
      nowSeconds: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
    });
    const body = kids.length === 0 ? undefined : JSON.stringify({ kids: kids.map(toBase64url), type: 'temporary' });
    return fetch(licenseUrl, { method: 'POST', headers: { authorization: `DPoP ${token}`, dpop: proof }, body });
  }
}

/** A kid as licence requests write it. */
export function toBase64url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url');
}
