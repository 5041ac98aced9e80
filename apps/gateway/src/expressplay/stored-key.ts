import type { ExpressPlayCode, ParameterValues } from '@latchkey/contracts';
import { fingerprintOfKek, newContentKey, unwrapAesKey, wrapAesKey } from '@latchkey/crypto';

/** What is stored of a key that a request brings: wrapped, and by what. */
export interface WrappedKey {
  readonly ek: string;
  readonly kekId: string;
}

/** A stored key, as far as showing it in the clear goes. */
export interface ShownKey extends WrappedKey {
  readonly kid: string;
}

/**
 * The wrapped key of a request that stores one: the one that it brings, wrapped already or to be wrapped, or a new one. The
 * KEK is used here and goes no further. Answers the code where KEK and wrapped key do not belong together.
 */
export function wrappedKeyOf(values: ParameterValues): WrappedKey | { readonly code: ExpressPlayCode } {
  const kek = kekOf(values);
  const kekId = values.get('kekId') ?? (kek ? fingerprintOfKek(kek) : '');
  const ek = values.get('ek')?.toLowerCase();
  if (ek !== undefined) return kek && !unwrapAesKey(kek, Buffer.from(ek, 'hex')) ? { code: -4024 } : { ek, kekId };
  if (!kek) return { code: -4023 };
  const plain = values.get('k');
  return { ek: wrapAesKey(kek, plain === undefined ? newContentKey() : Buffer.from(plain, 'hex')).toString('hex'), kekId };
}

/** A stored key as it is answered: with `k`, its key in the clear, where the request brought the KEK. */
export function withPlainKey<Stored extends ShownKey>(stored: Stored, values: ParameterValues): (Stored & { readonly k?: string }) | { readonly code: ExpressPlayCode } {
  const kek = kekOf(values);
  if (!kek) return stored;
  const key = unwrapAesKey(kek, Buffer.from(stored.ek, 'hex'));
  return key ? { ...stored, k: key.toString('hex') } : { code: -4024 };
}

function kekOf(values: ParameterValues): Buffer | undefined {
  const kek = values.get('kek');
  return kek === undefined ? undefined : Buffer.from(kek, 'hex');
}
