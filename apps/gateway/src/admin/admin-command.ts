import { type Scope, scopes, vocabulary } from '@latchkey/contracts';

/** What an administrator asks for. */
export type AdminCommand =
  | { readonly kind: 'create-merchant'; readonly merchantId: string }
  | { readonly kind: 'list-merchants' }
  | { readonly kind: 'create-key'; readonly merchantId: string; readonly scopes: readonly Scope[]; readonly env: string }
  | { readonly kind: 'rotate-key'; readonly keyId: string; readonly overlapSeconds: number }
  | { readonly kind: 'revoke-key'; readonly keyId: string }
  | { readonly kind: 'list-keys'; readonly merchantId: string };

/** What was wrong with the arguments. */
export interface UsageError {
  readonly kind: 'usage-error';
  readonly message: string;
}

/** How the commands are written. */
export const adminUsage = `Usage:
  merchants create <merchantId>
  merchants list
  keys create <merchantId> [--scopes <scope,…>] [--env <env>]   all scopes but admin, env live
  keys rotate <keyId> [--overlap-seconds <n>]                   the old key works on for a day
  keys revoke <keyId>
  keys list <merchantId>
  content-keys rewrap                                           under the first KEK of LATCHKEY_KEK
Scopes: ${scopes.join(', ')}
`;

const DEFAULT_OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 365 * 86_400;
const KEY_ID = /^[A-Za-z0-9]{4,32}$/;

/** Options by name, without their dashes. */
type Options = ReadonlyMap<string, string>;
type Reader = (subject: string, options: Options) => AdminCommand | UsageError;

interface Form {
  readonly subject: 'merchant' | 'key' | 'none';
  readonly options: readonly string[];
  readonly read: Reader;
}

const forms: ReadonlyMap<string, Form> = new Map(Object.entries<Form>({
  'merchants create': { subject: 'merchant', options: [], read: (merchantId) => ({ kind: 'create-merchant', merchantId }) },
  'merchants list': { subject: 'none', options: [], read: () => ({ kind: 'list-merchants' }) },
  'keys create': { subject: 'merchant', options: ['scopes', 'env'], read: readCreateKey },
  'keys rotate': { subject: 'key', options: ['overlap-seconds'], read: readRotateKey },
  'keys revoke': { subject: 'key', options: [], read: (keyId) => ({ kind: 'revoke-key', keyId }) },
  'keys list': { subject: 'merchant', options: [], read: (merchantId) => ({ kind: 'list-keys', merchantId }) },
}));

/** Reads the arguments of `npm run admin -- …`. */
export function readAdminCommand(args: readonly string[]): AdminCommand | UsageError {
  const form = forms.get(args.slice(0, 2).join(' '));
  if (!form) return wrong('there is no such command');
  const { subjects, options, problem } = split(args.slice(2));
  if (problem !== undefined) return wrong(problem);
  const unknown = [...options.keys()].find((name) => !form.options.includes(name));
  if (unknown !== undefined) return wrong(`--${unknown} does not belong to this command`);
  if (subjects.length !== (form.subject === 'none' ? 0 : 1)) return wrong(`expected ${form.subject === 'none' ? 'nothing more' : `one ${form.subject} id`}`);
  const subject = subjects[0] ?? '';
  if (form.subject === 'merchant' && !vocabulary.merchantId.safeParse(subject).success) return wrong('a merchant id is 1 to 63 of a-z 0-9 -');
  if (form.subject === 'key' && !KEY_ID.test(subject)) return wrong('a key id is 4 to 32 letters and digits: the third part of a key, never the key itself');
  return form.read(subject, options);
}

function split(args: readonly string[]): { subjects: string[]; options: Options; problem?: string } {
  const subjects: string[] = [];
  const options = new Map<string, string>();
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index]!;
    if (!argument.startsWith('--')) {
      subjects.push(argument);
      continue;
    }
    const [name, inline] = argument.slice(2).split('=', 2) as [string, string | undefined];
    const value = inline ?? args[(index += 1)];
    if (value === undefined) return { subjects, options, problem: `--${name} needs a value` };
    if (options.has(name)) return { subjects, options, problem: `--${name} is given twice` };
    options.set(name, value);
  }
  return { subjects, options };
}

function readCreateKey(merchantId: string, options: Options): AdminCommand | UsageError {
  const wanted = options.get('scopes')?.split(',') ?? scopes.filter((scope) => scope !== 'admin');
  const unknown = wanted.find((scope) => !(scopes as readonly string[]).includes(scope));
  if (unknown !== undefined) return wrong(`there is no scope ${JSON.stringify(unknown)}`);
  const env = options.get('env') ?? 'live';
  if (!/^[a-z]{1,16}$/.test(env)) return wrong('an env is 1 to 16 lower-case letters');
  return { kind: 'create-key', merchantId, scopes: scopes.filter((scope) => wanted.includes(scope)), env };
}

function readRotateKey(keyId: string, options: Options): AdminCommand | UsageError {
  const text = options.get('overlap-seconds') ?? String(DEFAULT_OVERLAP_SECONDS);
  const overlapSeconds = Number(text);
  if (!/^[0-9]{1,9}$/.test(text) || overlapSeconds > OVERLAP_SECONDS_MAX) return wrong('an overlap is 0 to 31536000 seconds');
  return { kind: 'rotate-key', keyId, overlapSeconds };
}

function wrong(message: string): UsageError {
  return { kind: 'usage-error', message };
}
