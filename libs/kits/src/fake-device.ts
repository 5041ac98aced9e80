import { createProof, generateDeviceKey } from '@latchkey/crypto';
import type { DeviceKey } from '@latchkey/crypto';

/** A licence request; everything but the first two is for making it wrong in one respect. */
export interface FakeLicenseRequest {
  /** The licence URL as tokens and configuration name it: the proof's `htu`. */
  licenseUrl: string;
  token: string;
  /** Key ids as 32 hex digits, or base64url as they go into the request. None: an empty body. */
  kids?: string[];
  /** Where the request really goes, when that is not `licenseUrl`. */
  sendTo?: string;
  /** Sent as it is in place of the body made from `kids`. */
  body?: string;
  /** `DPoP` unless told. */
  scheme?: string;
  /** Sent in place of a fresh proof; null sends none. */
  proof?: string | null;
  htm?: string;
  htu?: string;
  jti?: string;
  nowSeconds?: number;
  /** What `ath` is made of, when not of the token. */
  accessToken?: string;
  /** Put into the proof in place of the server's last nonce; null puts none in. Either way there is no second attempt. */
  nonce?: string | null;
  headers?: Record<string, string>;
}

export interface FakeLicenseAnswer {
  status: number;
  /** Parsed JSON, or undefined where the answer is empty. */
  body: { keys?: { kty: string; kid: string; k: string }[]; type?: string; code?: string; [member: string]: unknown };
  headers: Headers;
  /** The proof that this answer is to. */
  proof: string | undefined;
}

/** A player's device: a P-256 key and the habit of trying once more with the nonce that it was given. */
export class FakeDevice {
  readonly key: DeviceKey;
  #nonce: string | undefined;

  constructor(key: DeviceKey = generateDeviceKey()) {
    this.key = key;
  }

  /** The RFC 7638 thumbprint of the key. */
  get deviceId(): string {
    return this.key.deviceId;
  }

  /** Asks for a licence as a player does (RFC 9449 §8: with the server's nonce, once again when it wants a new one). */
  async license(request: FakeLicenseRequest): Promise<FakeLicenseAnswer> {
    const answer = await this.#send(request);
    const wantsNonce = answer.headers.get('www-authenticate')?.includes('use_dpop_nonce');
    const overridden = request.nonce !== undefined || request.proof !== undefined;
    return answer.status === 401 && wantsNonce && !overridden ? this.#send(request) : answer;
  }

  /** A proof for a request of this device; `nonce` null leaves it out. */
  proof(request: Omit<FakeLicenseRequest, 'proof'>): string {
    const nonce = request.nonce === undefined ? this.#nonce : (request.nonce ?? undefined);
    return createProof({
      privateKey: this.key.privateKey,
      publicJwk: this.key.publicJwk,
      htm: request.htm ?? 'POST',
      htu: request.htu ?? request.licenseUrl,
      accessToken: request.accessToken ?? request.token,
      nowSeconds: request.nowSeconds ?? Math.floor(Date.now() / 1000),
      jti: request.jti ?? crypto.randomUUID(),
      ...(nonce !== undefined && { nonce }),
    });
  }

  async #send(request: FakeLicenseRequest): Promise<FakeLicenseAnswer> {
    const proof = request.proof === undefined ? this.proof(request) : (request.proof ?? undefined);
    const response = await fetch(request.sendTo ?? request.licenseUrl, {
      method: 'POST',
      headers: {
        authorization: `${request.scheme ?? 'DPoP'} ${request.token}`,
        'content-type': 'application/json',
        ...(proof !== undefined && { dpop: proof }),
        ...request.headers,
      },
      body: request.body ?? bodyFor(request.kids),
    });
    this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce;
    const text = await response.text();
    const body = (text ? JSON.parse(text) : undefined) as FakeLicenseAnswer['body'];
    return { status: response.status, body, headers: response.headers, proof };
  }
}

function bodyFor(kids: string[] | undefined): string {
  if (!kids) return '';
  return JSON.stringify({ kids: kids.map(toBase64url), type: 'temporary' });
}

function toBase64url(kid: string): string {
  return /^[0-9a-f]{32}$/i.test(kid) ? Buffer.from(kid, 'hex').toString('base64url') : kid;
}
