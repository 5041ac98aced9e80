import { z } from 'zod';

/** A kid or key as W3C EME writes it: 16 bytes in unpadded base64url. */
const sixteenBytes = z.string().length(22);

/** A licence request as W3C EME's Clear Key defines it (§9.1.3). `type` left out means temporary. */
export const licenseRequest = z
  .strictObject({ kids: z.array(sixteenBytes).min(1).max(32), type: z.literal('temporary').optional() })
  .meta({ id: 'LicenseRequest', examples: [{ kids: ['ASNFZ4mrze8BI0VniavN7w'], type: 'temporary' }] });

/** A Clear Key licence (W3C EME §9.1.4): the content keys, as JSON Web Keys. */
export const license = z
  .object({
    keys: z.array(z.object({ kty: z.literal('oct'), kid: sixteenBytes, k: sixteenBytes })),
    type: z.literal('temporary'),
  })
  .meta({ id: 'License' });
/** A Clear Key licence. */
export type License = z.infer<typeof license>;
