import { parseKeyRing } from '@latchkey/crypto';
import { type Configuration, httpUrl, numberSetting, setting, standardSettings } from '@latchkey/service-defaults';
import { z } from 'zod';

const keyRing = z.string().transform((text, context) => {
  const parsed = parseKeyRing(text);
  if (parsed.ok) return parsed.ring;
  for (const message of parsed.problems) context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const origin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$/;
const origins = z.string().transform((text, context) => {
  const listed = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (!listed.every((part) => part === '*' || origin.test(part))) {
    context.addIssue({ code: 'custom', message: 'must be origins (https://player.example) separated by commas, or *' });
  }
  return new Set(listed);
});

/** Every setting of the licence server. */
export const licenseServerSettings = {
  ...standardSettings(8081),
  keyRing: setting('LATCHKEY_KEK', keyRing, {
    description: 'The keys that wrap content keys, id:base64 separated by commas, 32 bytes each; the nonces are derived from them too',
    secret: true,
  }),
  licenseUrl: setting('LATCHKEY_LICENSE_URL', httpUrl, {
    description: 'The public URL of /v1/licenses; a proof has to name it byte for byte, and a token has to be made for it',
  }),
  tokenIssuer: setting('LATCHKEY_TOKEN_ISSUER', z.string().regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 visible ASCII characters'), {
    description: 'The issuer that tokens have to name; the same for token-issuer and license-server',
    fallback: 'latchkey',
  }),
  corsOrigins: setting('LATCHKEY_CORS_ORIGINS', origins, {
    description:
      'The origins whose pages may ask for licences, separated by commas. * allows every origin: a licence takes a token and a proof that a page has to hold itself, never a cookie that the browser adds',
    fallback: '*',
  }),
  revocationAgeSecondsMax: numberSetting('LATCHKEY_REVOCATION_AGE_SECONDS_MAX', { least: 0, most: 2_592_000 }, {
    description: 'How old the knowledge of revocations may get while the broker is away before licences are refused, in seconds; 0 never refuses',
    fallback: '0',
  }),
};

/** The configuration of the licence server. */
export type LicenseServerConfiguration = Configuration<typeof licenseServerSettings>;
