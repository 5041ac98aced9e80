import type { Device } from '../device.js';

/** What is used of a licence request of dash.js. */
export interface DashLicenseRequest {
  readonly url: string;
  headers: Record<string, string>;
  withCredentials: boolean;
}

/** What is used of a dash.js `MediaPlayer`. */
export interface DashPlayer {
  registerLicenseRequestFilter(filter: (request: DashLicenseRequest) => Promise<void>): void;
  registerLicenseResponseFilter(filter: (response: { readonly headers: object }) => Promise<void>): void;
}

/**
 * Has dash.js prove the device's key for each licence request. It runs filters once a request and repeats a refused one as
 * it was, so that the nonce is fetched beforehand; of a repetition whose proof was used nothing comes but another refusal.
 */
export function dashJsAdapter(device: Device, player: DashPlayer, token: string | (() => string)): void {
  const current = typeof token === 'string' ? () => token : token;
  player.registerLicenseRequestFilter(async (request) => {
    Object.assign(request.headers, await device.headers({ url: request.url, method: 'POST', accessToken: current() }));
    // Cookies play no part, and with them browsers refuse an answer that every origin may read.
    request.withCredentials = false;
  });
  player.registerLicenseResponseFilter(async ({ headers }) => device.observe(headers as Record<string, string>));
}
