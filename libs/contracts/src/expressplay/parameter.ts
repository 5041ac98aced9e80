import type { ExpressPlayCode } from './error-codes.js';

/** What the forms and ranges of parameters are judged by, beside their values. */
export interface Surroundings {
  readonly nowMs: number;
  /** Whether tokens of the DRM that is asked for may be bound to a device. */
  readonly bindsDevices: boolean;
}

/** The values that were read so far, by the name in the table. */
export type ParameterValues = ReadonlyMap<string, string>;

/** One rule that a value keeps, and the code for one that does not. */
export interface ParameterCheck {
  /** `form`: how it is written; `range`: which of those are taken; `capability`: whether it is taken at all, whatever it says. */
  readonly fault: 'form' | 'range' | 'capability';
  readonly code: ExpressPlayCode;
  readonly words: string;
  readonly holds: (value: string, surroundings: Surroundings) => boolean;
}

/** When a parameter must be there, in words and as a rule over the parameters before it. */
export interface RequiredWhen {
  readonly when: string;
  readonly applies: (values: ParameterValues) => boolean;
}

/** One parameter: the documentation, the reading and the tests of it come from here. */
export interface ExpressPlayParameter {
  readonly name: string;
  /** Other names of the same; it may come under several, if it says the same. */
  readonly aliases?: readonly string[];
  /** A header that may say it too, in lower case. */
  readonly header?: string;
  /** Query and form, a member of the JSON body, or a part of the path. */
  readonly place: 'parameters' | 'body' | 'path';
  readonly meaning: string;
  readonly required: 'always' | 'never' | RequiredWhen;
  /** The code for one that is not there; also for one without a value. */
  readonly missing?: ExpressPlayCode;
  /** In order, capabilities before all others; the first that does not hold gives the code. */
  readonly checks: readonly ParameterCheck[];
  /** Whoever finds out who calls judges it too, before anything else is read. */
  readonly judgedByGate?: true;
}

/** A rule over several parameters. */
export interface CombinationRule {
  readonly words: string;
  readonly code: ExpressPlayCode;
  readonly broken: (values: ParameterValues) => boolean;
}

/** A check of how a value is written. */
export function form(code: ExpressPlayCode, words: string, pattern: RegExp): ParameterCheck {
  return { fault: 'form', code, words, holds: (value) => pattern.test(value) };
}

/** A check of which of the well-formed values are taken. */
export function range(code: ExpressPlayCode, words: string, holds: ParameterCheck['holds']): ParameterCheck {
  return { fault: 'range', code, words, holds };
}
