import { textFromBase64url } from './base64url.js';
import { DeviceError } from './device-error.js';

/**
 * Where a token is taken: the URL that the app was configured with, else the token's own audience, which is the licence
 * URL byte for byte. Nothing of the token is believed by that: a wrong URL gets a proof that is worth nothing elsewhere.
 */
export function licenseUrlOf(token: string, configured: string | undefined): string {
  const url = configured ?? audienceOf(token);
  if (url === undefined) throw new DeviceError({ code: 'no-license-url', detail: 'the token names no licence URL, and none was given', action: 'fetch-new-token' });
  return url;
}

/** Where a device collects its tokens: the licence URL with its last `/licenses` replaced by `/device/tokens`. */
export function deviceTokensUrlOf(licenseUrl: string): string {
  return `${licenseUrl.replace(/([^/])\/licenses$/, '$1')}/device/tokens`;
}

function audienceOf(token: string): string | undefined {
  try {
    const { aud } = JSON.parse(textFromBase64url(token.split('.')[1] ?? '') ?? '') as { readonly aud?: unknown };
    return typeof aud === 'string' && /^https?:\/\//.test(aud) ? aud : undefined;
  } catch {
    return undefined;
  }
}
