import { timestamp } from '../vocabulary.js';

const SECONDS_AHEAD = /^[+ ]([0-9]{1,10})$/;

/**
 * The point in time, in milliseconds, that a parameter means: RFC 3339 with `Z`, or `+` and seconds from now. A plus sign
 * that was not encoded in a URL arrives as a space, and is taken for what it was.
 */
export function readTime(value: string, nowMs: number): number | undefined {
  const [, seconds] = SECONDS_AHEAD.exec(value) ?? [];
  if (seconds !== undefined) return nowMs + Number(seconds) * 1000;
  return timestamp.safeParse(value).success ? Date.parse(value) : undefined;
}

/** 30 days: the default and the longest lifetime of a token. */
export const EXPRESSPLAY_LIFETIME_SECONDS = 30 * 24 * 3600;

/** A merchant that adds 30 days to its own clock must not be refused because ours is a little behind. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** Whether a token may live until then. */
export function isLifetime(value: string, nowMs: number): boolean {
  const time = readTime(value, nowMs);
  return time !== undefined && time >= nowMs + 1000 && time <= nowMs + (EXPRESSPLAY_LIFETIME_SECONDS + CLOCK_TOLERANCE_SECONDS) * 1000;
}

/** How long a token is to live, in whole seconds. The value must have been judged. */
export function lifetimeSeconds(value: string | undefined, nowMs: number): number {
  const time = value === undefined ? undefined : readTime(value, nowMs);
  if (time === undefined) return EXPRESSPLAY_LIFETIME_SECONDS;
  return Math.min(EXPRESSPLAY_LIFETIME_SECONDS, Math.max(1, Math.floor((time - nowMs) / 1000)));
}
