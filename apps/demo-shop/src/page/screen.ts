import { byId } from './element.js';
import type { FilmView } from './shop-api.js';

/** What is seen where the film would be. */
export interface Card {
  readonly state: 'empty' | 'loading' | 'refused' | 'over';
  readonly eyebrow: string;
  readonly title: string;
  readonly text: string;
  /** What the licence server answered. */
  readonly answer?: string;
}

/** Draws the curtain, with a card on it. */
export function showCard({ state, eyebrow, title, text, answer }: Card): void {
  byId('screen').dataset['state'] = state;
  byId('card-eyebrow').textContent = eyebrow;
  byId('card-title').textContent = title;
  byId('card-text').textContent = text;
  byId('card-answer').hidden = answer === undefined;
  byId('card-answer').textContent = answer ?? '';
}

/** Announces a film. */
export function showPoster(film: FilmView): void {
  byId<HTMLImageElement>('poster').src = posterOf(film);
  showCard({ state: 'empty', eyebrow: 'Now showing', title: film.title, text: film.about });
}

/** Opens the curtain. */
export function openCurtain(): void {
  byId('screen').dataset['state'] = 'playing';
}

/** The picture of a film. */
export function posterOf({ contentId }: FilmView): string {
  return `/demo/look/${contentId}.svg`;
}

/** Says what happens, to eyes and to screen readers. */
export function tell(words: string, tone: 'plain' | 'good' | 'bad' = 'plain'): void {
  byId('usher').textContent = words;
  byId('usher').dataset['tone'] = tone;
}
