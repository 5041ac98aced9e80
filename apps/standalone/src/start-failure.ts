import { DataDirectoryInUse, PlatformUnsupported, PostgresFailed } from '@latchkey/embedded-postgres';
import { ConfigurationError } from '@latchkey/service-defaults';

/** Exit codes of sysexits.h: a wrong configuration, and a resource that another process holds. */
const EX_CONFIG = 78;
const EX_TEMPFAIL = 75;

/** Standalone cannot start for a reason outside of it. The message is one sentence for an operator, without a secret. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';

  constructor(message: string, readonly exitCode: number, cause: unknown) {
    super(message, { cause });
  }
}

/** Runs a step of the start; what fails in it becomes a `StartFailure` that names the setting and what to do. */
export async function startStep<T>(
  describe: (reason: string) => string,
  step: () => T | Promise<T>,
  exitCode = EX_CONFIG,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (isExplained(error)) throw error;
    throw new StartFailure(describe(reasonOf(error)), exitCode, error);
  }
}

/** What to print about a start that failed: a sentence where the reason is known, else the stack. */
export function explainStart(error: unknown): string {
  const { message, stack } = error as Error;
  return isExplained(error) ? message : (stack ?? message);
}

/** The exit code of a start that failed. */
export function exitCodeOfStart(error: unknown): number {
  if (error instanceof StartFailure) return error.exitCode;
  if (error instanceof ConfigurationError) return EX_CONFIG;
  return error instanceof DataDirectoryInUse ? EX_TEMPFAIL : 1;
}

function isExplained(error: unknown): boolean {
  const kinds = [StartFailure, ConfigurationError, DataDirectoryInUse, PlatformUnsupported, PostgresFailed];
  return kinds.some((kind) => error instanceof kind);
}

/** A refused `localhost` has two addresses and so an `AggregateError`, whose own message is empty. */
function reasonOf(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  return message || errors?.map((one) => one.message).join(', ') || code || 'unknown reason';
}
