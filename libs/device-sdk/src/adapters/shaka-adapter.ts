import type { Device } from '../device.js';

/** What is used of a request of Shaka Player. */
export interface ShakaRequest {
  readonly uris: readonly string[];
  headers: Record<string, string>;
  /** How many attempts came before, by Shaka Player 5. */
  readonly attempt?: number;
}

/** What is used of Shaka Player 5's networking engine: `player.getNetworkingEngine()`. */
export interface ShakaNetworkingEngine {
  registerRequestFilter(filter: (type: number, request: ShakaRequest) => Promise<void>): void;
  registerResponseFilter(filter: (type: number, response: { readonly headers: Readonly<Record<string, string>> }) => void): void;
  addEventListener(type: 'retry', listener: (event: ShakaRetryEvent) => void): void;
}

/** The `retry` event: `error.data` is URI, status, text, headers and request type where the server has answered. */
export interface ShakaRetryEvent {
  readonly error?: { readonly data?: readonly unknown[] } | null;
  preventDefault(): void;
}

/** `shaka.net.NetworkingEngine.RequestType.LICENSE` */
const LICENSE = 2;

/**
 * Has Shaka Player 5 prove the device's key for each licence request. Its filters run on every attempt, so each has a proof
 * of its own. What a second attempt cannot mend is not attempted again: the player's error then has the status in
 * `data[1]`, and the problem document in `data[2]`.
 */
export function shakaAdapter(device: Device, engine: ShakaNetworkingEngine, token: string | (() => string)): void {
  const current = typeof token === 'string' ? () => token : token;
  engine.registerRequestFilter(async (type, request) => {
    if (type !== LICENSE) return;
    const url = request.uris[(request.attempt ?? 0) % request.uris.length]!;
    Object.assign(request.headers, await device.headers({ url, method: 'POST', accessToken: current() }));
  });
  engine.registerResponseFilter((type, { headers }) => {
    if (type === LICENSE) device.observe(headers);
  });
  engine.addEventListener('retry', (event) => {
    const [, status, text, headers, type] = event.error?.data ?? [];
    if (type !== LICENSE || typeof status !== 'number') return;
    device.observe(headers as Record<string, string>);
    const wantsNonce = typeof text === 'string' && text.includes('use-dpop-nonce');
    if (status < 500 && status !== 429 && !wantsNonce) event.preventDefault();
  });
}
