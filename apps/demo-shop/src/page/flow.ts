import { byId, element } from './element.js';
import { type FlowStep, lanes, stepOf } from './flow-steps.js';
import type { ShopEvent } from './shop-api.js';

const ROWS_MAX = 40;
const LAST_ID = 'halfmoon.last-event';

/** Follows the events of this customer, and draws each as a light that travels. `onEvent` hears of it too. */
export function followEvents(titleOf: (contentId: string) => string, onEvent: (event: ShopEvent) => void): void {
  const last = sessionStorage.getItem(LAST_ID);
  // What happened while this tab was reloading is told as well.
  const stream = new EventSource(`/demo/api/events${last === null ? '' : `?after=${encodeURIComponent(last)}`}`);
  stream.addEventListener('open', () => (byId('flow').dataset['state'] = 'live'));
  stream.addEventListener('error', () => (byId('flow').dataset['state'] = 'away'));
  stream.addEventListener('message', ({ data, lastEventId }: MessageEvent<string>) => {
    sessionStorage.setItem(LAST_ID, lastEventId);
    const event = JSON.parse(data) as ShopEvent;
    const step = stepOf(event, titleOf);
    if (step) draw(step);
    onEvent(event);
  });
}

function draw(step: FlowStep): void {
  const [from, to] = [lanes.indexOf(step.from), lanes.indexOf(step.to)];
  const rows = byId('events');
  const time = new Date().toTimeString().slice(0, 8);
  const row = element(
    'li',
    { class: `fresh from-${from} to-${to} ${from < to ? 'rightward' : 'leftward'}`, 'data-tone': step.tone },
    element('p', {}, element('span', {}, element('time', {}, time), element('span', { class: 'visually-hidden' }, `${step.from} to ${step.to}: `), step.words)),
    element('div', { class: 'path', 'aria-hidden': 'true' }, element('span', { class: 'light' })),
  );
  rows.prepend(row);
  while (rows.children.length > ROWS_MAX) rows.lastElementChild!.remove();
  byId('still').hidden = true;
  const lane = document.querySelectorAll('.lanes li')[to]!;
  lane.classList.remove('lit');
  // The animation of a lane that is lit begins anew only after a layout without it.
  void (lane as HTMLElement).offsetWidth;
  lane.classList.add('lit');
}
