import { parseKeyRing } from '@latchkey/crypto';
import { z } from 'zod';
import { setting } from './configuration.js';
import { httpUrl } from './standard-settings.js';

/** Settings that whoever issues tokens and whoever honours them must share. */

/** The key ring that wraps content keys. Its problems never show what was given. */
export const keyRing = setting(
  'LATCHKEY_KEK',
  z.string().transform((text, context) => {
    const parsed = parseKeyRing(text);
    if (parsed.ok) return parsed.ring;
    for (const message of parsed.problems) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  {
    description:
      'The keys that wrap content keys and signing keys, as id:base64 pairs of 32 bytes separated by commas; the first one wraps. Nonces are derived from them too',
    secret: true,
  },
);

/** The public URL of `/v1/licenses`. Bounded, because it is the audience of tokens, which have to stay within 6 KiB. */
export const licenseUrl = setting('LATCHKEY_LICENSE_URL', httpUrl.regex(/^[\x21-\x7e]{1,512}$/, 'must be at most 512 visible ASCII characters'), {
  description: 'The public URL of /v1/licenses: where devices take tokens, what a proof has to name and the audience of every token, byte for byte',
});

/** The issuer that tokens name. */
export const tokenIssuer = setting('LATCHKEY_TOKEN_ISSUER', z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters'), {
  description: 'The issuer that tokens name; the same for token-issuer and license-server',
  fallback: 'latchkey',
});
