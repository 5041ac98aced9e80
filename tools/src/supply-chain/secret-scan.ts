/** A file of the repository. */
export interface ScannedFile {
  readonly path: string;
  readonly text: string;
}

/** What a secret looks like. Each is a form that nobody writes by accident. */
const FORMS: readonly (readonly [name: string, form: RegExp])[] = [
  ['a private key in PEM', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g],
  ['an API key of Latchkey', /\blk_[a-z]+_[A-Za-z0-9]{4,32}_[A-Za-z0-9_-]{43}\b/g],
  ['a key encryption key', /\b[A-Za-z0-9]{1,10}:[A-Za-z0-9+/]{43}=(?![A-Za-z0-9=])/g],
  ['a signed token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{40,}/g],
  ['a private JWK', /"d"\s*:\s*"[A-Za-z0-9_-]{43}"/g],
  ['a password in a URL', /\b(?:amqps?|postgres(?:ql)?|https?):\/\/[^\s/:@'"`$<{]+:(?!password@|guest@|secret@|\.\.\.@|…@)[^\s/:@'"`$<{]+@/g],
  ['a cloud or source host token', /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,}|npm_[A-Za-z0-9]{36}|xox[baprs]-[A-Za-z0-9-]{20,})\b/g],
];

/**
 * Files that hold such forms on purpose (published vectors, secrets that are nobody's) with the reason, and with the
 * SHA-256 of each in hex, so that a real one in its place is noticed.
 */
export type KnownForms = Readonly<Record<string, { readonly why: string; readonly sha256: readonly string[] }>>;

/** Everything in the files that looks like a secret and is not known, and what is known and no longer there. Shows no value. */
export async function secretProblems(files: readonly ScannedFile[], known: KnownForms): Promise<string[]> {
  const problems: string[] = [];
  const open = new Map(Object.entries(known).map(([path, { sha256 }]) => [path, [...sha256]]));
  for (const { path, text } of files) {
    for (const [name, form] of FORMS) {
      for (const { 0: found, index } of text.matchAll(form)) {
        const digest = await digestOf(found);
        const expected = open.get(path)?.indexOf(digest) ?? -1;
        if (expected >= 0) open.get(path)!.splice(expected, 1);
        else problems.push(`${path}:${text.slice(0, index).split('\n').length} looks like ${name} (${digest})`);
      }
    }
  }
  for (const [path, left] of open) if (left.length > 0) problems.push(`${path} lacks ${left.length} of the forms that are known of it`);
  return problems;
}

/** SHA-256 in hex: enough to know a made-up secret again, and no way back to a real one. */
export async function digestOf(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}
