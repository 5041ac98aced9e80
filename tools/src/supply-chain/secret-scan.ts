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
 * Files that hold such forms on purpose: published vectors, and keys that are secret to nobody. Each with the reason, and
 * with how many there are, so that one more in the same file is noticed.
 */
export type KnownForms = Readonly<Record<string, { readonly count: number; readonly why: string }>>;

/** Everything in the files that looks like a secret and is not known, and what is known and no longer there. Names no value. */
export function secretProblems(files: readonly ScannedFile[], known: KnownForms): string[] {
  const problems: string[] = [];
  const counts = new Map<string, number>();
  for (const { path, text } of files) {
    for (const [name, form] of FORMS) {
      for (const { index } of text.matchAll(form)) {
        counts.set(path, (counts.get(path) ?? 0) + 1);
        if (known[path] === undefined) problems.push(`${path}:${text.slice(0, index).split('\n').length} looks like ${name}`);
      }
    }
  }
  for (const [path, { count }] of Object.entries(known)) {
    const found = counts.get(path) ?? 0;
    if (found !== count) problems.push(`${path} has ${found} forms of secrets, and ${count} are known`);
  }
  return problems;
}
