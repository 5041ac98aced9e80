import { kidOfName } from '@latchkey/crypto';

/** The kid that a parameter means: hex in lower case, or that of the string after `^`. */
export function kidOf(value: string): string {
  return value.startsWith('^') ? kidOfName(value.slice(1)) : value.toLowerCase();
}

/** The different kids that a list means. */
export function kidsOf(value: string): string[] {
  return [...new Set(value.split(',').map(kidOf))];
}
