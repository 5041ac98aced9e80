import type { z } from 'zod';

/** One setting: the environment variable, its schema (which may transform the text), and what an operator should know. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly variable: string;
  readonly schema: Schema;
  /** What it is, with its unit and the reason for its default: printed in the generated reference. */
  readonly description: string;
  /** The text used where the variable is not set; a setting without one must be set, unless its schema takes undefined. */
  readonly fallback?: string;
  /** Whether its value must never be shown, not even in the problem that it causes. */
  readonly secret?: boolean;
}

/** The settings of one service by the name that its code uses. */
export type Settings = Readonly<Record<string, Setting>>;

/** The parsed configuration of a service. */
export type Configuration<Config extends Settings> = { readonly [Name in keyof Config]: z.infer<Config[Name]['schema']> };

/** Declares a setting. */
export function setting<Schema extends z.ZodType>(variable: string, schema: Schema, about: Omit<Setting, 'variable' | 'schema'>): Setting<Schema> {
  return { variable, schema, ...about };
}

/** The configuration is wrong; `problems` lists everything that is, one sentence each, so that one restart is enough. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Parses the environment once. An empty variable counts as not set. Throws a `ConfigurationError` with every problem. */
export function readConfiguration<Config extends Settings>(
  settings: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Configuration<Config> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(settings)) {
    const text = environment[one.variable] === '' ? undefined : environment[one.variable];
    const parsed = one.schema.safeParse(text ?? one.fallback);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(describe(one, text, parsed.error));
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as Configuration<Config>;
}

function describe(one: Setting, text: string | undefined, error: z.ZodError): string {
  if (text === undefined && one.fallback === undefined) return `${one.variable} is not set: ${one.description}`;
  const shown = one.secret ? '' : ` (it is ${JSON.stringify(text ?? one.fallback)})`;
  return `${one.variable} ${error.issues.map((issue) => issue.message).join('; ')}${shown}`;
}
