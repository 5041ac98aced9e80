import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWithChromium, openBrowser, screenshot } from '@latchkey/kits/browser';
import { base64url, hex, type Merchant } from './merchant.js';
import { type PlayerPages, startPlayerPages } from './player-pages.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

type Browser = Awaited<ReturnType<typeof openBrowser>>;
type Page = Awaited<ReturnType<Browser['newPage']>>;

interface Film {
  readonly contentId: string;
  readonly kid: string;
  readonly key: string;
  readonly manifest: string;
  readonly playlist: string;
}

interface Outcome {
  readonly seconds: number;
  readonly frames: number;
  readonly refused?: object;
}

const PLAYERS = ['Shaka Player 5', 'dash.js 5', 'hls.js 1', 'Bare EME'] as const;

describeWithChromium('players in a browser', () => {
  let pages: PlayerPages;
  let standalone: Standalone;
  let merchant: Merchant;
  let profiles: string;
  let film: Film;
  /** The viewer's browser and the one of somebody else. */
  let browser: Browser;
  let other: Browser;
  let deviceId: string;
  let cookie: string;
  let token: string;
  let licenseUrl: string;

  beforeAll(async () => {
    [pages, profiles] = await Promise.all([startPlayerPages(), mkdtemp(join(tmpdir(), 'latchkey-profiles-'))]);
    // The shop's page and the licence server have different origins, as in production.
    [standalone, browser, other] = await Promise.all([
      startStandalone({ LATCHKEY_CORS_ORIGINS: pages.origin }),
      openBrowser(join(profiles, 'viewer')),
      openBrowser(join(profiles, 'other')),
    ]);
    merchant = await standalone.merchant();
    licenseUrl = `${standalone.origin}/v1/licenses`;
    const { films } = JSON.parse(await readFile(resolve(import.meta.dirname, '../../apps/demo-shop/media/films.json'), 'utf8')) as { films: Film[] };
    film = films[0]!;
    await merchant.expect(201, `/v1/content-keys/${film.kid}`, { key: film.key }, { method: 'PUT' });
    cookie = await merchant.cookie();
  });
  afterAll(async () => {
    await Promise.allSettled([browser?.close(), other?.close()]);
    await Promise.allSettled([standalone?.remove(), pages?.remove()]);
    await rm(profiles, { recursive: true, force: true });
  });

  async function newPage(of: Browser): Promise<Page> {
    const page = await of.newPage();
    await page.goto(`${pages.origin}/player.html`);
    // A tab behind another draws nothing and plays no muted film, and is not even asked between frames whether it is ready.
    await page.bringToFront();
    await page.waitForFunction('globalThis.page !== undefined', undefined, { polling: 100 });
    return page;
  }

  /** Calls one of the functions of e2e/pages/player.mjs. */
  function inPage<T>(page: Page, name: string, ...args: unknown[]): Promise<T> {
    return page.evaluate(`page.${name}(...${JSON.stringify(args)})`);
  }

  /** Plays the film in a page of its own; resolves to what came of it, and how the licence server answered. */
  async function play(of: Browser, name: (typeof PLAYERS)[number]): Promise<Outcome & { statuses: number[] }> {
    const page = await newPage(of);
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url() === licenseUrl && response.request().method() === 'POST') statuses.push(response.status());
    });
    await inPage(page, 'open');
    const [manifestUrl, playlistUrl] = [film.manifest, film.playlist].map((path) => `${pages.origin}/media/${path}`);
    const outcome = await inPage<Outcome>(page, 'play', name, { token, licenseUrl, manifestUrl, playlistUrl });
    await screenshot(page, `${name.toLowerCase().replace(/\W+/g, '-')}-${outcome.refused ? 'refused' : 'plays'}`);
    await page.close();
    return { ...outcome, statuses };
  }

  it('two tabs that begin at once are one device, whose key no script can take, also after the browser was started again', async () => {
    const tabs = await Promise.all([newPage(browser), newPage(browser)]);
    const [first, second] = await Promise.all(tabs.map((tab) => inPage<{ id: string }>(tab, 'open')));
    expect(first).toEqual({ id: expect.stringMatching(/^[\w-]{43}$/) as unknown, extractable: false, taken: false });
    expect(second).toEqual(first);
    await browser.close();
    browser = await openBrowser(join(profiles, 'viewer'));
    expect(await inPage(await newPage(browser), 'open')).toEqual(first);
    deviceId = first!.id;
  });

  it('registers, collects what was bought, and gets its licence, from another origin', async () => {
    const page = await newPage(browser);
    await inPage(page, 'open');
    const registration = (await merchant.expect(201, '/v1/registration-tokens', { cookie }))['token'];
    expect(await inPage(page, 'register', registration)).toBe('done');
    expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ deviceId });
    const purchaseId = `order-${hex()}`;
    await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: film.contentId, kids: [film.kid], rights: { type: 'purchase' } });
    await merchant.token(purchaseId);
    const { tokens } = await inPage<{ tokens: { token: string; purchaseId: string }[] }>(page, 'tokens', registration);
    expect(tokens).toMatchObject([{ purchaseId }]);
    token = tokens[0]!.token;
    expect(await inPage(page, 'license', token, [film.kid])).toEqual({ keys: [{ kty: 'oct', kid: base64url(film.kid), k: base64url(film.key) }], type: 'temporary' });
  });

  it.each(PLAYERS)('%s plays the encrypted film with the README’s lines', async (name) => {
    const { seconds, frames, refused, statuses } = await play(browser, name);
    expect(refused).toBeUndefined();
    expect(seconds).toBeGreaterThan(1);
    expect(frames).toBeGreaterThan(0);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 200]);
  });

  it.each([
    ['Shaka Player 5', { error: 6007, status: 401, code: 'invalid-token' }],
    ['dash.js 5', { error: 114 }],
    ['hls.js 1', { error: 'keySystemLicenseRequestFailed', status: 401 }],
    ['Bare EME', { action: 'fetch-new-token' }],
  ] as const)('%s is refused in another browser to which the token was copied', async (name, refusal) => {
    const { frames, refused, statuses } = await play(other, name);
    expect(refused).toEqual(refusal);
    expect(frames).toBe(0);
    // The first of them fetched the nonce. How many follow is the player's affair, and of how many sessions it asks at once.
    expect(statuses.length).toBeGreaterThan(1);
    expect(statuses.filter((status) => status !== 401)).toEqual([]);
  });
});
