import { shortId } from './sentences.js';
import type { ShopEvent } from './shop-api.js';

/** The lanes from left to right. */
export const lanes = ['shop', 'device', 'registry', 'issuer', 'licence server'] as const;
/** Who says something, or hears it. */
export type Lane = (typeof lanes)[number];

/** One light: where it travels, and what it says. */
export interface FlowStep {
  readonly from: Lane;
  readonly to: Lane;
  readonly tone: 'plain' | 'good' | 'bad';
  readonly words: string;
}

/** The way of an event; undefined for one that this page does not know. `titleOf` names a film. */
export function stepOf(event: ShopEvent, titleOf: (contentId: string) => string): FlowStep | undefined {
  const device = shortId(event.deviceId ?? 'a device');
  const film = event.contentId === undefined ? 'a film' : titleOf(event.contentId);
  switch (event.type) {
    case 'device.registered.v1':
      return { from: 'device', to: 'registry', tone: 'plain', words: `${device} proved its key and is registered` };
    case 'device.revoked.v1':
      return { from: 'registry', to: 'licence server', tone: 'bad', words: `${device} is revoked, for good` };
    case 'purchase.completed.v1':
      return { from: 'shop', to: 'issuer', tone: 'plain', words: `${film} was paid for` };
    case 'purchase.refunded.v1':
      return { from: 'shop', to: 'issuer', tone: 'bad', words: 'a ticket was given back' };
    case 'purchase.rejected.v1':
      return { from: 'issuer', to: 'shop', tone: 'bad', words: `a purchase was rejected: ${event.code ?? 'no reason given'}` };
    case 'token.issued.v1':
      return { from: 'issuer', to: 'device', tone: 'plain', words: `a token for ${film}, good on ${device} alone` };
    case 'token.revoked.v1':
      return { from: 'issuer', to: 'licence server', tone: 'bad', words: `a token stopped working: ${event.reason ?? 'no reason given'}` };
    case 'license.granted.v1':
      return { from: 'licence server', to: 'device', tone: 'good', words: `${device} got its licence` };
    case 'license.denied.v1':
      return { from: 'licence server', to: 'device', tone: 'bad', words: `${device} was refused: ${event.code ?? 'no reason given'}` };
    default:
      return undefined;
  }
}
