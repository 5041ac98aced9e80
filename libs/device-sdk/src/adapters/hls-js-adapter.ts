import type { Device } from '../device.js';

/** What is used of an `XMLHttpRequest`. */
export interface LicenseXhr {
  readonly readyState: number;
  readonly response: unknown;
  open(method: string, url: string, async: boolean): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
}

/** The part of hls.js' configuration that asks for licences: `new Hls({...hlsJsAdapter(device, token), emeEnabled: true, …})`. */
export interface HlsLicenseConfiguration {
  licenseXhrSetup(xhr: LicenseXhr, url: string): Promise<void>;
  licenseResponseCallback(xhr: LicenseXhr, url: string): ArrayBuffer;
}

/**
 * Has hls.js prove the device's key for each licence request. It sets up each attempt anew and gives up on a 401, so that
 * the nonce is fetched beforehand.
 */
export function hlsJsAdapter(device: Device, token: string | (() => string)): HlsLicenseConfiguration {
  const current = typeof token === 'string' ? () => token : token;
  return {
    licenseXhrSetup: async (xhr, url) => {
      const headers = await device.headers({ url, method: 'POST', accessToken: current() });
      // Headers can be set from then on; hls.js opens what is not open only afterwards.
      if (xhr.readyState === 0) xhr.open('POST', url, true);
      xhr.setRequestHeader('Authorization', headers.Authorization);
      xhr.setRequestHeader('DPoP', headers.DPoP);
    },
    licenseResponseCallback: (xhr) => {
      device.observe({ get: (name) => xhr.getResponseHeader(name) });
      return xhr.response as ArrayBuffer;
    },
  };
}
