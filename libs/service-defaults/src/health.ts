/** What one check found. */
export interface CheckResult {
  readonly ok: boolean;
  readonly required: boolean;
  /** Why it failed, in words for an operator; no secrets. */
  readonly detail?: string;
}

/** What `/health/ready` answers: `degraded` serves with something optional missing, `unready` should get no traffic. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unready';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

interface Check {
  readonly name: string;
  readonly required: boolean;
  /** Resolves to undefined when all is well, else to what is missing. */
  readonly look: () => Promise<string | undefined>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** The readiness of one service: named checks, of which the required ones decide. */
export class Health {
  private readonly checks: Check[] = [];

  /** Adds a check; `look` resolves to undefined when all is well, else to what is missing. */
  add(name: string, required: boolean, look: () => Promise<string | undefined>): void {
    this.checks.push({ name, required, look });
  }

  /** Runs every check. Never rejects: a check that throws or hangs has failed. */
  async readiness(): Promise<Readiness> {
    const results = await Promise.all(this.checks.map(async (check) => [check.name, await run(check)] as const));
    return summarise(Object.fromEntries(results));
  }
}

/** The readiness of several services as one, for standalone. */
export async function combinedReadiness(parts: ReadonlyMap<string, Health>): Promise<Readiness> {
  const checks: Record<string, CheckResult> = {};
  for (const [service, health] of parts) {
    const readiness = await health.readiness();
    for (const [name, result] of Object.entries(readiness.checks)) checks[`${service}.${name}`] = result;
  }
  return summarise(checks);
}

function summarise(checks: Record<string, CheckResult>): Readiness {
  const failed = Object.values(checks).filter((result) => !result.ok);
  const status = failed.some((result) => result.required) ? 'unready' : failed.length > 0 ? 'degraded' : 'ready';
  return { status, checks };
}

async function run(check: Check): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('did not answer in time'), CHECK_TIMEOUT_MS);
  });
  try {
    const detail = await Promise.race([check.look(), late]);
    return { ok: detail === undefined, required: check.required, ...(detail === undefined ? {} : { detail }) };
  } catch (error) {
    return { ok: false, required: check.required, detail: error instanceof Error ? error.name : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
