import { vocabulary } from '@latchkey/contracts';
import { z } from 'zod';

/** The DRMs for which a provider gives tokens, as its paths name them. */
export const providerDrms = ['pr', 'wv', 'fp'] as const;
/** A DRM for which a provider gives tokens. */
export type ProviderDrm = (typeof providerDrms)[number];

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether a URL keeps what is sent there to those for whom it is: by https, or within this machine. */
export function isConfidential(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

const endpoint = z.string().refine((text) => {
  if (!/^https?:\/\/[^\s#?@]+$/.test(text) || !URL.canParse(text)) return false;
  return isConfidential(new URL(text));
}, 'must be an https URL without credentials, query or fragment; http is for loopback addresses');

const entry = z
  .strictObject({
    merchantId: vocabulary.merchantId,
    kind: z.literal('expressplay', 'must be expressplay'),
    drm: z.enum(providerDrms, 'must be pr, wv or fp'),
    customerAuthenticator: z.string('must be given').regex(/^[\x21-\x7e]{8,512}$/, 'must be 8 to 512 visible ASCII characters'),
    url: endpoint.optional(),
    tokenUrl: endpoint.optional(),
    recordUrl: endpoint.optional(),
    timeoutMs: z.int('must be a whole number').min(100, 'must lie between 100 and 10000').max(10_000, 'must lie between 100 and 10000').default(2_000),
    securityLevel: z.int('must be a whole number').min(1, 'must lie between 1 and 5').max(5, 'must lie between 1 and 5').default(1),
    hdcpOutputControl: z.int('must be a whole number').min(0, 'must lie between 0 and 2').max(2, 'must lie between 0 and 2').default(0),
    iv: z.string().regex(/^[0-9a-fA-F]{32}$/, 'must be 32 hex digits').optional(),
  })
  .superRefine((given, context) => {
    if (given.url === undefined && (given.tokenUrl === undefined || given.recordUrl === undefined)) {
      context.addIssue({ code: 'custom', path: ['url'], message: 'must be given, or both tokenUrl and recordUrl' });
    }
    // FairPlay keys go with an IV, and no content key here has one of its own.
    if (given.drm === 'fp' && given.iv === undefined) context.addIssue({ code: 'custom', path: ['iv'], message: 'must be given for fp' });
  });

/** Where one merchant's tokens come from: its account at a licence service with ExpressPlay's interface. */
export interface TokenProvider {
  readonly merchantId: string;
  readonly drm: ProviderDrm;
  readonly tokenUrl: URL;
  readonly recordUrl: URL;
  /** The account's credential. A secret: it goes into requests and nowhere else. */
  readonly customerAuthenticator: string;
  /** How long one attempt may take, its answer included. */
  readonly timeoutMs: number;
  /** Widevine: what a player's device must have, as the provider counts it. */
  readonly securityLevel: number;
  readonly hdcpOutputControl: number;
  /** FairPlay: the IV that the merchant packages with. */
  readonly iv?: string;
}

/** Providers by merchant. Who is not in it has tokens that Latchkey signs. */
export type TokenProviders = ReadonlyMap<string, TokenProvider>;

/** Reads the list of providers. Problems name entries and members and never show what they held, for it carries credentials. */
export function readTokenProviders(text: string): { readonly ok: true; readonly providers: TokenProviders } | { readonly ok: false; readonly problems: readonly string[] } {
  const list = parseList(text);
  if (!list) return { ok: false, problems: ['must be a JSON array'] };
  const problems: string[] = [];
  const providers = new Map<string, TokenProvider>();
  for (const [index, one] of list.entries()) {
    const parsed = entry.safeParse(one);
    if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => `entry ${index + 1}${issue.path.map((part) => ` ${String(part)}`).join('')} ${messageOf(issue)}`));
    else if (providers.has(parsed.data.merchantId)) problems.push(`entry ${index + 1} merchantId must be named once`);
    else providers.set(parsed.data.merchantId, providerOf(parsed.data));
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, providers };
}

function parseList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? '[]' : text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    // The parser's own message quotes the text, credentials included.
    return undefined;
  }
}

/** A member that is not known may be a credential in the wrong place: it is not named. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys' ? 'must not have members that are not known' : issue.message;
}

function providerOf({ url, tokenUrl, recordUrl, ...given }: z.infer<typeof entry>): TokenProvider {
  const { merchantId, drm, customerAuthenticator, timeoutMs, securityLevel, hdcpOutputControl, iv } = given;
  return {
    merchantId,
    drm,
    customerAuthenticator,
    timeoutMs,
    securityLevel,
    hdcpOutputControl,
    iv,
    tokenUrl: new URL(tokenUrl ?? `${withoutSlash(url!)}/hms/${drm}/token`),
    recordUrl: new URL(recordUrl ?? `${withoutSlash(url!)}/cmiapi/getrecord/`),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
