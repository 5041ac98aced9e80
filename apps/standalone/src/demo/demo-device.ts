import { createDevice, DeviceError, type Fetch, memoryStore } from '@latchkey/device-sdk';

/** The answer to a licence request. */
export interface LicenseAnswer {
  readonly status: number;
  readonly body: { readonly code?: string; readonly keys?: readonly { readonly kid: string; readonly k: string }[] };
}

/** A device with a key of its own, as a player would have one. */
export interface DemoDevice {
  /** The device id: the thumbprint of its key. */
  readonly id: string;
  /** Asks for a licence, and registers where it asks for no kid. Resolves to the answer as it came, also a refusal. */
  license(token: string, kids: readonly string[]): Promise<LicenseAnswer>;
}

/** A device that nobody has seen before. */
export async function makeDemoDevice(): Promise<DemoDevice> {
  let last: Response | undefined;
  const fetch: Fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    last = response.clone();
    return response;
  };
  const device = await createDevice({ store: memoryStore(), fetch });
  return {
    id: device.id,
    license: async (token, kids) => {
      await (kids.length > 0 ? device.license(token, { kids }) : device.register(token)).catch((error: unknown) => {
        if (!(error instanceof DeviceError) || error.status === undefined) throw error;
      });
      return { status: last!.status, body: (await last!.json()) as LicenseAnswer['body'] };
    },
  };
}

/** A kid as licence requests write it. */
export function toBase64url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url');
}
