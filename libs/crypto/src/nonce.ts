import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.js';
import { constantTimeEqual } from './constant-time-equal.js';

export interface NonceOptions {
  /** The first makes nonces, every one is honoured: replacing a secret refuses nothing that was handed out. */
  readonly secrets: readonly Buffer[];
  readonly lifetimeSeconds?: number;
}

/** DPoP server nonces (RFC 9449 §8) that need no memory: any replica with the same secrets honours any other's. */
export interface Nonces {
  /** A nonce good for `lifetimeSeconds` from now, the same within one second: nonces are reusable, a `jti` is not. */
  issue(nowSeconds: number): string;
  /** True for a nonce made with one of the secrets, within its lifetime. Any other text is false; never throws. */
  isFresh(nonce: string, nowSeconds: number): boolean;
}

const LIFETIME_SECONDS_DEFAULT = 300;
// Another replica's clock may be ahead of ours; without this its nonces would be refused here and the player would be
// sent round in circles. More than a few seconds would only lengthen the lifetime of a nonce made by a wrong clock.
const CLOCK_TOLERANCE_SECONDS = 5;

const TIME_BYTES = 6;
const MAC_BYTES = 16;
const SECRET_BYTES_MIN = 32;
const LABEL = 'latchkey/dpop-nonce/v1';

/**
 * Nonces of the form base64url(time ‖ MAC): seconds in 6 bytes, and their HMAC-SHA-256 cut to 128 bits (RFC 2104 §5).
 *
 * @throws RangeError if there is no secret, or one is shorter than 32 bytes.
 */
export function createNonces(options: NonceOptions): Nonces {
  const { secrets, lifetimeSeconds = LIFETIME_SECONDS_DEFAULT } = options;
  if (secrets.some(({ length }) => length < SECRET_BYTES_MIN)) {
    throw new RangeError('a nonce secret has at least 32 bytes');
  }
  const keys = secrets.map((secret) => createSecretKey(secret));
  const [issuingKey] = keys;
  if (!issuingKey) throw new RangeError('nonces need a secret');

  let last = { second: -1, nonce: '' };

  return {
    issue(nowSeconds) {
      const second = Math.floor(nowSeconds);
      if (second !== last.second) {
        const time = Buffer.alloc(TIME_BYTES);
        time.writeUIntBE(second, 0, TIME_BYTES);
        last = { second, nonce: Buffer.concat([time, macOf(time, issuingKey)]).toString('base64url') };
      }
      return last.nonce;
    },

    isFresh(nonce, nowSeconds) {
      const bytes = decodeBase64url(nonce);
      if (bytes?.length !== TIME_BYTES + MAC_BYTES) return false;
      const time = bytes.subarray(0, TIME_BYTES);
      const mac = bytes.subarray(TIME_BYTES);
      const ageSeconds = nowSeconds - time.readUIntBE(0, TIME_BYTES);
      if (ageSeconds < -CLOCK_TOLERANCE_SECONDS || ageSeconds >= lifetimeSeconds) return false;
      return keys.some((key) => constantTimeEqual(mac, macOf(time, key)));
    },
  };
}

function macOf(time: Buffer, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(LABEL).update(time).digest().subarray(0, MAC_BYTES);
}
