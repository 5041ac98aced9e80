import type { ExpressPlayCode } from './error-codes.js';
import type { CombinationRule, ExpressPlayParameter, ParameterValues, Surroundings } from './parameter.js';

/** What a request says, by place and name; `undefined` is a value that is no text, or no text of a parameter. */
export interface GivenParameters {
  readonly parameters: GivenValues;
  readonly body: GivenValues;
  readonly path: GivenValues;
  readonly headers: GivenValues;
}
/** All values of each name, in order. Names are case-sensitive. */
export type GivenValues = ReadonlyMap<string, readonly (string | undefined)[]>;

/** Why a request is refused: the code, and the parameter where it is one. Never a value. */
export interface ParameterFault {
  readonly code: ExpressPlayCode;
  readonly parameter?: string;
  readonly words: string;
}

/** The values of a good request, or the first fault. */
export type ReadParameters = { readonly ok: true; readonly values: ParameterValues } | { readonly ok: false; readonly fault: ParameterFault };

/**
 * Reads the parameters of a request by their table, in its order, then the rules over several. What stands in no row is
 * passed over, as merchants send parameters of a DRM that concern its licence server alone. A parameter that stands twice
 * is malformed: something between us and the caller may have taken the other one.
 */
export function readParameters(
  table: readonly ExpressPlayParameter[],
  rules: readonly CombinationRule[],
  given: GivenParameters,
  surroundings: Surroundings,
): ReadParameters {
  const values = new Map<string, string>();
  for (const row of table) {
    if (row.judgedByGate) continue;
    const fault = readOne(row, given, values, surroundings);
    if (fault) return { ok: false, fault };
  }
  const broken = rules.find((rule) => rule.broken(values));
  return broken ? { ok: false, fault: { code: broken.code, words: broken.words } } : { ok: true, values };
}

function readOne(row: ExpressPlayParameter, given: GivenParameters, values: Map<string, string>, surroundings: Surroundings): ParameterFault | undefined {
  const fault = (code: ExpressPlayCode, words: string): ParameterFault => ({ code, parameter: row.name, words });
  const found = valuesOf(row, given);
  // Of what is not taken at all, no value is better than another.
  const closed = row.checks.find((check) => check.fault === 'capability' && !check.holds('', surroundings));
  if (closed && found.length > 0) return fault(closed.code, `must be ${closed.words}`);
  if (found === 'unclear') return fault(row.checks[0]?.code ?? row.missing ?? -9400, 'must stand once, and be text');
  const [said] = found;
  if (said === undefined || (said === '' && row.missing !== undefined)) {
    const needed = said === '' || row.required === 'always' || (row.required !== 'never' && row.required.applies(values));
    return needed && row.missing !== undefined ? fault(row.missing, 'is missing') : undefined;
  }
  const failed = row.checks.find((check) => !check.holds(said, surroundings));
  if (failed) return fault(failed.code, `must be ${failed.words}`);
  values.set(row.name, said);
  return undefined;
}

/** The one value of a parameter under all its names, or none. */
function valuesOf(row: ExpressPlayParameter, given: GivenParameters): readonly [string?] | 'unclear' {
  const places = [row.name, ...(row.aliases ?? [])].map((name) => given[row.place].get(name) ?? []);
  if (row.header !== undefined) places.push(given.headers.get(row.header) ?? []);
  const all = places.flat();
  const texts = new Set(all.filter((value) => value !== undefined));
  if (places.some(({ length }) => length > 1) || all.includes(undefined) || texts.size > 1) return 'unclear';
  return [...texts] as [string?];
}
