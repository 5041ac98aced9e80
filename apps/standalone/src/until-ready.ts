import { setTimeout as delay } from 'node:timers/promises';
import type { Readiness } from '@latchkey/service-defaults';

const POLL_MS = 100;
/** Services take a moment to agree on a signing key at every start; what takes longer than these looks is worth a line. */
const LOOKS_UNTIL_SAID = 20;

/**
 * Resolves to true once everything required is there, and to false when stopped before. Says what it waits for, at
 * first and whenever that changes: a broker may be away for hours, and silence looks like a hang.
 */
export async function untilReady(
  readiness: () => Promise<Readiness>,
  say: (line: string) => void,
  stopped: AbortSignal,
): Promise<boolean> {
  let said = '';
  let [looks, last] = [0, ''];
  while (!stopped.aborted) {
    const { status, checks } = await readiness();
    if (status !== 'unready') return !stopped.aborted;
    const { line, isServerAway } = describeWait(checks);
    looks = line === last ? looks + 1 : 1;
    last = line;
    if ((isServerAway || looks >= LOOKS_UNTIL_SAID) && line !== said && !stopped.aborted) {
      say(line);
      said = line;
    }
    await delay(POLL_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  return false;
}

/** Each reason once, with the services that it keeps from serving, and the variable to look at. */
function describeWait(checks: Readiness['checks']): { readonly line: string; readonly isServerAway: boolean } {
  const missing = Object.entries(checks).filter(([, { ok, required }]) => !ok && required);
  const isAway = (part: string): boolean => missing.some(([name]) => name.endsWith(`.${part}`));
  const parts = [
    ...(isAway('database') ? ['the database (look at DATABASE_URL)'] : []),
    ...(isAway('broker') ? ['the broker that AMQP_URL names (look at AMQP_URL, and whether the broker runs)'] : []),
  ];
  if (parts.length > 0) return { line: `Waiting for ${parts.join(' and ')} …`, isServerAway: true };
  const reasons = new Set(missing.map(([name, { detail }]) => `${name}: ${detail ?? 'not ready'}`));
  return { line: `Waiting: ${[...reasons].join('; ')} …`, isServerAway: false };
}
