/**
 * What every answer of the shop carries. Scripts come from here alone, and the one that is written in the page (the map of
 * module names) is known by its hash; Shaka Player feeds the video from a blob.
 */
export function securityHeaders(importMapHash: string, licenseUrl: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${importMapHash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    `connect-src 'self' ${new URL(licenseUrl).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
  };
}

/** The hash of the page's inline module map, as a policy names it. */
export async function importMapHash(html: string): Promise<string> {
  const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(map))).toString('base64');
}
