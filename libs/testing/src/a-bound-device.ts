import { createDevice, type Device, memoryStore } from '@latchkey/device-sdk';
import type { Latchkey } from './latchkey.js';
import { MerchantClient } from './merchant-client.js';
import { randomHex } from './random-hex.js';

/** What a bound device is made of; whatever is left out is made up. */
export interface BoundDeviceOptions {
  /** The merchant's customer. */
  readonly accountId?: string;
  /** A device that is there already; else one with a key that nobody has seen before. */
  readonly device?: Device;
  /** How long its cookie lives, in seconds; by default as long as the deployment says. */
  readonly cookieTtlSeconds?: number;
}

/** A device, and the cookie that it is bound to. */
export interface BoundDevice {
  readonly device: Device;
  readonly cookie: string;
  readonly accountId: string;
  /** The token it was registered with: good for `device.tokens(…)` for ten minutes. */
  readonly registrationToken: string;
}

/** A device with a key of its own, held in memory, bound to nothing yet. */
export function aDevice(): Promise<Device> {
  return createDevice({ store: memoryStore() });
}

/**
 * A device that registered as a player does: a cookie for the account, a registration token, a proof of its key.
 * Rejects with `UnexpectedAnswer` where the gateway refuses, and with the SDK's `DeviceError` where the licence server does.
 */
export async function aBoundDevice(latchkey: Latchkey, options: BoundDeviceOptions = {}): Promise<BoundDevice> {
  const { accountId = `viewer-${randomHex()}`, cookieTtlSeconds } = options;
  const merchant = new MerchantClient(latchkey);
  const wanted = { accountId, ...(cookieTtlSeconds !== undefined && { ttlSeconds: cookieTtlSeconds }) };
  const { cookie } = await merchant.call<{ cookie: string }>('POST', '/v1/cookies', wanted);
  const { token } = await merchant.call<{ token: string }>('POST', '/v1/registration-tokens', { cookie });
  const device = options.device ?? (await aDevice());
  await device.register(token);
  return { device, cookie, accountId, registrationToken: token };
}
