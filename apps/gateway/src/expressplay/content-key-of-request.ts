import type { ExpressPlayCode, ParameterValues } from '@latchkey/contracts';
import { unwrapAesKey } from '@latchkey/crypto';

/** The content key of a token request, as hex, or the code for why there is none. */
export type ContentKeyOfRequest = { readonly key: string } | { readonly code: ExpressPlayCode };

/**
 * The key that a request gives: in the clear, or wrapped under its KEK. `stored` looks up the wrapped key of the store
 * where the request brings the KEK alone.
 */
export async function contentKeyOf(values: ParameterValues, stored: () => Promise<string | undefined>): Promise<ContentKeyOfRequest> {
  const plain = values.get('contentKey');
  if (plain !== undefined) return { key: plain.toLowerCase() };
  const ek = values.get('ek') ?? (await stored());
  if (ek === undefined) return { code: -4019 };
  const key = unwrapAesKey(Buffer.from(values.get('kek') ?? '', 'hex'), Buffer.from(ek, 'hex'));
  return key ? { key: key.toString('hex') } : { code: -4024 };
}
