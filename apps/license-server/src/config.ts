import { type Configuration, numberSetting, publicUrl, setting, standardSettings, tokenSettings } from '@latchkey/service-defaults';
import { z } from 'zod';

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
  keyRing: tokenSettings.keyRing,
  licenseUrl: tokenSettings.licenseUrl,
  tokenIssuer: tokenSettings.tokenIssuer,
  publicUrl,
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
