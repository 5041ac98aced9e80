import { button, byId, element, redraw } from './element.js';
import { leftMs } from './rental-clock.js';
import { clockText, durationText, shortId } from './sentences.js';
import type { ShopView, TicketKind, TicketView } from './shop-api.js';

/** What the viewer can do with what is listed. */
export interface ListActions {
  watch(ticket: TicketView): void;
  copy(ticket: TicketView): void;
  refund(ticket: TicketView): void;
  buy(contentId: string, kind: TicketKind): void;
  revoke(deviceId: string): void;
}

type Stamp = readonly [text: string, tone: 'good' | 'bad' | 'wait'];

function stampOf(ticket: TicketView): Stamp {
  if (ticket.state === 'refunded') return ['Given back', 'bad'];
  if (ticket.state === 'rejected') return ['Void', 'bad'];
  if (ticket.state === 'awaiting-device') return ['Waits for this browser', 'wait'];
  const left = leftMs(ticket);
  if (left === undefined) return [ticket.kind === 'buy' ? 'Yours' : 'Not begun', 'good'];
  return left === 0 ? ['Ended', 'bad'] : [clockText(left), 'wait'];
}

/** Whether a ticket would still get a licence, as far as this page can tell. */
export function isGood(ticket: TicketView): boolean {
  return ticket.state === 'issued' && leftMs(ticket) !== 0;
}

/** Draws the tickets anew. */
export function drawTickets({ tickets, films }: ShopView, actions: ListActions): void {
  const none = element('li', { class: 'none' }, 'No ticket yet. Choose a film above and buy or rent it: it costs nothing but a click.');
  const drawn = tickets.map((ticket) => {
    const { purchaseId, contentId, kind } = ticket;
    const title = films.find((film) => film.contentId === contentId)?.title ?? contentId;
    const [text, tone] = stampOf(ticket);
    const terms = kind === 'buy' ? 'Bought, to keep' : `Rented, plays for ${durationText(ticket.playDurationSeconds ?? 0)}`;
    const named = (label: string, key: string, act: () => void, look?: string): HTMLButtonElement => {
      const made = button(label, `${key}-${purchaseId}`, act, look);
      made.setAttribute('aria-label', `${label}: ${title}`);
      return made;
    };
    const buttons = isGood(ticket)
      ? [
          named('Watch', 'watch', () => actions.watch(ticket)),
          named('Copy token', 'copy', () => actions.copy(ticket), 'quiet'),
          named('Give back', 'refund', () => actions.refund(ticket), 'quiet'),
        ]
      : ticket.state === 'issued'
        ? [named('Rent again', 'again', () => actions.buy(contentId, 'rent')), named('Buy to keep', 'keep', () => actions.buy(contentId, 'buy'), 'quiet')]
        : [];
    return element(
      'li',
      { class: isGood(ticket) || ticket.state === 'awaiting-device' ? 'ticket' : 'ticket void', 'data-purchase': purchaseId },
      element('header', {}, element('h3', {}, title), element('span', { class: 'stamp', 'data-tone': tone }, text), element('small', {}, terms)),
      element('p', { class: 'actions' }, ...buttons),
    );
  });
  redraw(byId('tickets'), byId('tickets-title'), drawn.length > 0 ? drawn : [none]);
}

/** Turns the clocks of the tickets without drawing anything else. */
export function turnClocks({ tickets }: ShopView): void {
  for (const ticket of tickets) {
    const stamp = document.querySelector<HTMLElement>(`[data-purchase="${CSS.escape(ticket.purchaseId)}"] .stamp`);
    const [text, tone] = stampOf(ticket);
    if (!stamp || stamp.textContent === text) continue;
    stamp.textContent = text;
    stamp.dataset['tone'] = tone;
  }
}

/** Draws the devices anew. */
export function drawDevices({ devices }: ShopView, ownId: string, actions: ListActions): void {
  const drawn = devices.map(({ deviceId, state, registeredAt }) => {
    const who = deviceId === ownId ? 'This browser' : 'A key that this browser had before';
    const since = new Date(registeredAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    const revoke = button('Revoke', `revoke-${deviceId}`, () => actions.revoke(deviceId), 'grave');
    revoke.setAttribute('aria-label', `Revoke device ${shortId(deviceId)}`);
    return element(
      'li',
      { 'data-device': deviceId },
      element('span', {}, element('b', { class: 'id', title: deviceId }, shortId(deviceId)), element('small', {}, `${who}, since ${since}`)),
      state === 'revoked' ? element('span', { class: 'stamp', 'data-tone': 'bad' }, 'Revoked') : revoke,
    );
  });
  redraw(byId('devices'), byId('devices-title'), drawn.length > 0 ? drawn : [element('li', { class: 'none' }, 'None yet. Register this browser above.')]);
}
