import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const mediaFolder = new URL('../media/', import.meta.url);
const listed = z.object({
  films: z.array(
    z.object({
      contentId: z.string(),
      title: z.string(),
      kid: z.string(),
      key: z.string(),
      durationSeconds: z.number(),
      manifest: z.string(),
    }),
  ),
});

/** What the programme says of each film. */
const words: Readonly<Record<string, { readonly line: string; readonly about: string }>> = {
  'dawn-over-the-bay': { line: 'Nine seconds of first light', about: 'The sea holds still, the sun does not. One long take, with a chord for a score.' },
  'northern-lights': { line: 'Nine seconds of weather from the sun', about: 'Two curtains of light cross a dark ridge, and nobody is there to see it but you.' },
};

/** A film that the shop sells, with its content key. */
export interface Film {
  readonly contentId: string;
  readonly title: string;
  readonly line: string;
  readonly about: string;
  /** 32 lower-case hex. */
  readonly kid: string;
  /** 32 hex. The keys of these films are public on purpose: `media/films.json` says why. */
  readonly key: string;
  readonly durationSeconds: number;
  /** Below `media/`. */
  readonly manifest: string;
}

/** Where the encrypted films lie: found beside the package, from source and from `dist` alike. */
export const mediaPath = fileURLToPath(mediaFolder);

/** The programme, in its order. */
export async function readFilms(): Promise<ReadonlyMap<string, Film>> {
  const { films } = listed.parse(JSON.parse(await readFile(new URL('films.json', mediaFolder), 'utf8')));
  return new Map(films.map((film) => [film.contentId, { line: '', about: '', ...words[film.contentId], ...film }]));
}
