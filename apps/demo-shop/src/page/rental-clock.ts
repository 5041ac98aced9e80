import { byId } from './element.js';
import { clockText } from './sentences.js';
import type { TicketView } from './shop-api.js';

const keyOf = (purchaseId: string): string => `halfmoon.started.${purchaseId}`;

/** Notes that a rental was begun, once. The clock that counts is the licence server's; this one is for the viewer. */
export function noteStart({ purchaseId, kind }: TicketView): void {
  if (kind === 'rent' && localStorage.getItem(keyOf(purchaseId)) === null) localStorage.setItem(keyOf(purchaseId), String(Date.now()));
}

/** What is left of a rental in milliseconds, at least 0; undefined where it was not begun, or is none. */
export function leftMs({ purchaseId, playDurationSeconds }: TicketView): number | undefined {
  const started = localStorage.getItem(keyOf(purchaseId));
  if (started === null || playDurationSeconds === undefined) return undefined;
  return Math.max(0, Number(started) + playDurationSeconds * 1000 - Date.now());
}

/** Shows what is left of the rental on the screen; undefined shows no clock. */
export function showClock(left: number | undefined): void {
  byId('clock').hidden = left === undefined;
  if (left !== undefined) byId('clock-text').textContent = clockText(left);
}
