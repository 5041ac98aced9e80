import { kidToBase64url } from './base64url.js';
import { DeviceClient } from './device-client.js';
import { DeviceError } from './device-error.js';
import { loadOrMakeKey } from './device-key.js';
import type { DeviceKeyStore } from './device-key-store.js';
import type { Fetch } from './fetch.js';
import { deviceTokensUrlOf, licenseUrlOf } from './license-url.js';

/** What a device is made of. */
export interface DeviceOptions {
  /** Where its key lies: `indexedDbStore()`, `fileStore(path)` of `@latchkey/device-sdk/node`, `memoryStore()`. */
  readonly store: DeviceKeyStore;
  /** The licence URL, byte for byte as the licence server is configured with it; left out, the one that each token names. */
  readonly licenseUrl?: string;
  /** In place of the platform's own. */
  readonly fetch?: Fetch;
}

/** A Clear Key licence (W3C EME §9.1.4). */
export interface License {
  readonly keys: readonly { readonly kty: 'oct'; readonly kid: string; readonly k: string }[];
  readonly type: 'temporary';
}

/** What a licence is asked for: kids in 32 hex digits, as merchants name them, or in base64url, as EME does. */
export interface LicenseRequest {
  readonly kids: readonly string[];
  readonly type?: 'temporary';
}

/** What was bought: for ever, or with the two clocks of a rental. Times are RFC 3339. */
export type DeviceTokenRights =
  | { readonly type: 'purchase'; readonly availableFrom?: string }
  | { readonly type: 'rental'; readonly availableFrom?: string; readonly availableUntil: string; readonly playDurationSeconds: number };

/** A content token of this device, and what it is for. */
export interface DeviceToken {
  readonly token: string;
  readonly tokenId: string;
  readonly purchaseId?: string;
  readonly contentId: string;
  /** 32 hex digits each. */
  readonly kids: readonly string[];
  readonly rights: DeviceTokenRights;
  readonly expiresAt: string;
}

/** The live tokens of this device, newest first. `more`: there are others for which the answer had no room. */
export interface DeviceTokenList {
  readonly tokens: readonly DeviceToken[];
  readonly more: boolean;
  readonly licenseUrl: string;
}

/** What a player that sends its own requests puts into one. */
export interface ProvenHeaders {
  readonly Authorization: string;
  readonly DPoP: string;
}

/** One request that a player sends itself. */
export interface PlayerRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly accessToken: string;
}

/** Whatever gives the headers of an answer by their names. */
export type AnswerHeaders = { get(name: string): string | null } | Readonly<Record<string, string>>;

/** A device: its key, and everything that it asks of the licence server. Every method rejects with a `DeviceError`. */
export interface Device {
  /** RFC 7638 thumbprint of its key. */
  readonly id: string;
  /** A proof for one request (RFC 9449), with the last nonce that the server gave. */
  proof(request: { readonly url: string; readonly method: string; readonly accessToken: string }): Promise<string>;
  /** Binds this device to the cookie of a registration token. The same device again is fine. */
  register(registrationToken: string): Promise<void>;
  /** A licence. A request as the CDM wrote it is passed on as it is. */
  license(token: string, request: LicenseRequest | string | ArrayBuffer | ArrayBufferView): Promise<License>;
  /** The live tokens of this device, asked for with any token of its own. */
  tokens(anyToken: string): Promise<DeviceTokenList>;
  /** The headers of one request that a player sends itself, with a nonce that the server takes. For each attempt anew. */
  headers(request: PlayerRequest): Promise<ProvenHeaders>;
  /** Learns nonce and time from an answer that a player received itself. */
  observe(headers: AnswerHeaders): void;
}

/** The device whose key lies in the store; a new one where there is none yet. */
export async function createDevice({ store, licenseUrl, fetch = (url, init) => globalThis.fetch(url, init) }: DeviceOptions): Promise<Device> {
  const key = await loadOrMakeKey(store);
  const client = new DeviceClient(key, { fetch });
  const urlOf = (token: string): string => licenseUrlOf(token, licenseUrl);
  return {
    id: key.id,
    proof: (request) => client.proof(request),
    register: async (accessToken) => {
      // An expired registration token is not renewed: the viewer begins again, with a new one.
      await client.send({ method: 'POST', url: urlOf(accessToken), accessToken, actions: { 'invalid-token': 'register-again' } });
    },
    license: async (accessToken, request) =>
      readAnswer<License>(await client.send({ method: 'POST', url: urlOf(accessToken), accessToken, body: bodyOf(request) }), ({ keys }) => Array.isArray(keys)),
    tokens: async (accessToken) =>
      readAnswer<DeviceTokenList>(await client.send({ method: 'GET', url: deviceTokensUrlOf(urlOf(accessToken)), accessToken }), ({ tokens }) => Array.isArray(tokens)),
    headers: async (request) => {
      await client.freshen(request);
      return { Authorization: `DPoP ${request.accessToken}`, DPoP: await client.proof(request) };
    },
    observe: (headers) => void client.learn((name) => headerOf(headers, name), client.clock.localMs()),
  };
}

function bodyOf(request: LicenseRequest | string | ArrayBuffer | ArrayBufferView): string {
  if (typeof request === 'string') return request;
  if (request instanceof ArrayBuffer || ArrayBuffer.isView(request)) return new TextDecoder().decode(request);
  return JSON.stringify({ kids: request.kids.map(kidToBase64url), type: request.type ?? 'temporary' });
}

function readAnswer<T>(body: string, isRight: (value: Partial<T>) => boolean): T {
  try {
    const value = JSON.parse(body) as T;
    if (isRight(value)) return value;
  } catch {
    // Said below: whether it is no JSON or something else, it came from somebody who is no licence server.
  }
  throw new DeviceError({ code: 'unexpected-answer', detail: 'the answer is not that of a licence server' });
}

function headerOf(headers: AnswerHeaders, wanted: string): string | null | undefined {
  if (typeof headers.get === 'function') return (headers as { get(name: string): string | null }).get(wanted);
  return Object.entries(headers as Readonly<Record<string, string>>).find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1];
}
