import { z } from 'zod';
import { deviceIdFault, drms } from './normalise-device-id.js';
import { defineOperation } from './operation-contract.js';
import { deviceId, kid, kids, rights, statedConfidence } from './vocabulary.js';

/** Whatever has the characters and the length of a token: a player may have sent the proxy anything. */
const presentedToken = z.string().regex(/^[\x21-\x7e]{1,6144}$/, 'must be 1 to 6144 visible ASCII characters');

/**
 * What a merchant's own licence server asks before it answers a device. `kids`, where it can read them: those asked for.
 * `confidence` is kept with the binding that a registration token makes, and changes nothing else.
 */
export const licenseQuestion = z.object({
  token: presentedToken,
  deviceId,
  drm: z.enum(drms),
  kids: kids.optional(),
  confidence: statedConfidence.optional(),
});

/** Every code with which a licence server is told no. What it is told with another status is no answer to its question. */
export const verificationCode = z.enum([
  'invalid-token',
  'device-mismatch',
  'device-revoked',
  'kid-not-in-token',
  'rental-expired',
  'rental-not-started',
  'cookie-bound-elsewhere',
]);

/**
 * The answer to a licence server. `kids` are those for which it may give the device a licence, now: those that it asked
 * for, or all of the token's where it named none. They are empty for a registration token, which opens no content and so
 * has no rights either: the device is bound, and that is all.
 */
export const licenseVerdict = z
  .discriminatedUnion('allow', [
    z.object({ allow: z.literal(true), tokenId: z.string(), kids: z.array(kid).max(32), rights: rights.optional() }),
    z.object({ allow: z.literal(false), code: verificationCode }),
  ])
  .meta({ id: 'LicenseVerdict' });
/** The answer to a licence server. */
export type LicenseVerdict = z.infer<typeof licenseVerdict>;

/** `POST /v1/licenses/verify`. */
export const verifyLicense = defineOperation({
  id: 'verifyLicense',
  server: 'gateway',
  method: 'POST',
  path: '/v1/licenses/verify',
  summary: 'A merchant’s own licence server asks whether a device may have a licence; with a registration token it binds the device',
  security: { kind: 'api-key', scope: 'licenses:verify' },
  body: z.strictObject(licenseQuestion.shape).superRefine(({ drm, deviceId: given }, context) => {
    const message = deviceIdFault(drm, given);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['deviceId'], message });
  }),
  answers: { 200: { description: 'Whether it may. Nothing but `allow: true` with status 200 allows anything', schema: licenseVerdict } },
  refusals: [],
});
