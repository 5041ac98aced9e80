import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { decodeBase64url } from './base64url.js';
import { encodeAssociatedData, open, seal, SEAL_BYTES } from './sealed-box.js';

/** A content key (CEK) has 16 bytes, as Common Encryption has it. */
export const CONTENT_KEY_BYTES = 16;

/** Whose content key it is: both are sealed in with the key, so it cannot be passed off as another's. */
export interface ContentKeyOwner {
  readonly merchantId: string;
  /** 32 lower-case hex. */
  readonly kid: string;
}

export type ParsedKeyRing =
  | { readonly ok: true; readonly ring: KeyRing }
  /** One sentence per problem, by position; none holds an id or a key: either may be the secret in the wrong place. */
  | { readonly ok: false; readonly problems: readonly string[] };

const KEK_BYTES = 32;
/** Ten characters at most: the id stands before each of up to 32 keys in a token, which has to stay within 6 KiB. */
const KEK_ID = /^[a-z0-9-]{1,10}$/;
const BARE_KEK_ID = 'k1';
const CONTENT_KEY_LABEL = 'latchkey/content-key/v1';
const SECRET_LABEL = 'latchkey/secret/v1';
const DERIVED_LABEL = 'latchkey/derived/v1';

/**
 * The key-encryption keys of a deployment: the first (primary) wraps, every one unwraps. Holds key objects and not
 * bytes, in private fields, so that printing or serialising a ring shows no key.
 *
 * A wrapped value is `<kekId>.<base64url(iv ‖ ciphertext ‖ tag)>`, AES-256-GCM.
 */
export class KeyRing {
  readonly primaryId: string;
  readonly #keks: ReadonlyMap<string, KeyObject>;
  readonly #primary: KeyObject;

  /**
   * `keks` in order, first is primary. For configuration use `parseKeyRing`.
   *
   * @throws RangeError if there is no key, one is not of 32 bytes, or an id is malformed or given twice.
   */
  constructor(keks: readonly { readonly id: string; readonly key: Buffer }[]) {
    const [primary] = keks;
    if (!primary) throw new RangeError('a key ring needs a key');
    if (keks.some(({ id, key }) => key.length !== KEK_BYTES || !KEK_ID.test(id))) {
      throw new RangeError('a KEK has 32 bytes and an id of a-z, 0-9 and -');
    }
    this.#keks = new Map(keks.map(({ id, key }) => [id, createSecretKey(key)]));
    if (this.#keks.size !== keks.length) throw new RangeError('two KEKs have the same id');
    this.#primary = createSecretKey(primary.key);
    this.primaryId = primary.id;
  }

  /** True if something wrapped under this KEK can be unwrapped. */
  has(kekId: string): boolean {
    return this.#keks.has(kekId);
  }

  /**
   * Wraps a content key under the primary KEK for its merchant and kid.
   *
   * @throws RangeError if the key has not 16 bytes.
   */
  wrapContentKey({ merchantId, kid, key }: ContentKeyOwner & { readonly key: Buffer }): string {
    if (key.length !== CONTENT_KEY_BYTES) throw new RangeError('a content key has 16 bytes');
    return this.#wrap(encodeAssociatedData(CONTENT_KEY_LABEL, merchantId, kid), key);
  }

  /** The content key; `undefined` if it was wrapped for another merchant or kid, its KEK is gone, or it was altered. */
  unwrapContentKey(input: ContentKeyOwner & { readonly wrapped: string }): Buffer | undefined {
    const parts = splitWrapped(input.wrapped);
    if (parts?.sealed.length !== CONTENT_KEY_BYTES + SEAL_BYTES) return undefined;
    return this.#unwrap(parts, encodeAssociatedData(CONTENT_KEY_LABEL, input.merchantId, input.kid));
  }

  /**
   * The same content key under the primary KEK: the same text if it is there already, `undefined` where
   * `unwrapContentKey` is.
   */
  rewrapContentKey(input: ContentKeyOwner & { readonly wrapped: string }): string | undefined {
    const key = this.unwrapContentKey(input);
    if (!key || kekIdOf(input.wrapped) === this.primaryId) return key && input.wrapped;
    return this.wrapContentKey({ ...input, key });
  }

  /** Wraps a secret of our own (a signing key's PKCS#8, say) under the primary KEK. `purpose` is sealed in. */
  wrapSecret(purpose: string, secret: Buffer): string {
    return this.#wrap(encodeAssociatedData(SECRET_LABEL, purpose), secret);
  }

  /** The secret; `undefined` if it was wrapped for another purpose, its KEK is gone, or it was altered. */
  unwrapSecret(purpose: string, wrapped: string): Buffer | undefined {
    const parts = splitWrapped(wrapped);
    return parts && this.#unwrap(parts, encodeAssociatedData(SECRET_LABEL, purpose));
  }

  /**
   * 32 bytes per KEK, in the ring's order, by HKDF-SHA-256 (RFC 5869) for `purpose`: every service that holds the ring
   * has the same ones without sending them anywhere, and they tell nothing about the KEKs.
   */
  deriveSecrets(purpose: string): Buffer[] {
    const info = encodeAssociatedData(DERIVED_LABEL, purpose);
    return [...this.#keks.values()].map((kek) => Buffer.from(hkdfSync('sha256', kek, '', info, KEK_BYTES)));
  }

  #wrap(associatedData: Buffer, plaintext: Buffer): string {
    return `${this.primaryId}.${seal(this.#primary, associatedData, plaintext).toString('base64url')}`;
  }

  #unwrap({ kekId, sealed }: WrappedParts, associatedData: Buffer): Buffer | undefined {
    const kek = this.#keks.get(kekId);
    return kek && open(kek, associatedData, sealed);
  }
}

/** The id of the KEK that a value was wrapped under; `undefined` if it does not have the form of a wrapped value. */
export function kekIdOf(wrapped: string): string | undefined {
  return splitWrapped(wrapped)?.kekId;
}

/** True for the form that `wrapContentKey` gives; says nothing about whether it can be unwrapped. */
export function isWrappedContentKey(text: string): boolean {
  return splitWrapped(text)?.sealed.length === CONTENT_KEY_BYTES + SEAL_BYTES;
}

/**
 * Reads `LATCHKEY_KEK`: comma-separated `id:base64`, 32 bytes each, first is primary; a bare value has id `k1`. White
 * space around an entry is ignored, because secrets come from files that end in a line feed.
 */
export function parseKeyRing(text: string): ParsedKeyRing {
  const problems: string[] = [];
  const keks: { id: string; key: Buffer }[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const position = `entry ${index + 1}`;
    const colon = entry.indexOf(':');
    const id = colon === -1 ? BARE_KEK_ID : entry.slice(0, colon).trim();
    const key = decodeBase64(entry.slice(colon + 1).trim());
    if (!KEK_ID.test(id)) problems.push(`${position}: its id is not 1 to 10 characters of a-z, 0-9 and -`);
    else if (keks.some((kek) => kek.id === id)) problems.push(`${position}: its id was used by an earlier entry`);
    if (!key) problems.push(`${position}: its key is not base64`);
    else if (key.length !== KEK_BYTES) problems.push(`${position}: its key has ${key.length} bytes instead of 32`);
    keks.push({ id, key: key ?? Buffer.alloc(0) });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, ring: new KeyRing(keks) };
}

/** A new KEK as `LATCHKEY_KEK` writes it, without an id. */
export function generateKeyEncryptionKey(): string {
  return randomBytes(KEK_BYTES).toString('base64');
}

interface WrappedParts {
  readonly kekId: string;
  readonly sealed: Buffer;
}

function splitWrapped(wrapped: string): WrappedParts | undefined {
  const dot = wrapped.indexOf('.');
  const kekId = wrapped.slice(0, Math.max(dot, 0));
  const sealed = decodeBase64url(wrapped.slice(dot + 1));
  return sealed && sealed.length >= SEAL_BYTES && KEK_ID.test(kekId) ? { kekId, sealed } : undefined;
}

/** Standard base64 with its padding, as `openssl rand -base64 32` prints it. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined;
}
