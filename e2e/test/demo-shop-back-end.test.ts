import { request, type OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
type Json = Record<string, unknown>;

/** One request with whatever headers, also those that `fetch` would not send. */
function ask(origin: string, path: string, options: { method?: string; headers?: OutgoingHttpHeaders; body?: string } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(origin + path, { method: options.method ?? (options.body === undefined ? 'GET' : 'POST'), headers: options.headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    sent.on('error', reject).end(options.body);
  });
}

/** A browser, as far as the back end can tell. */
class Viewer {
  session = '';
  readonly answers: Reply[] = [];

  constructor(readonly origin: string) {}

  static async enter(origin: string): Promise<Viewer> {
    const viewer = new Viewer(origin);
    const { headers } = await viewer.call('shop');
    viewer.session = headers['set-cookie']![0]!.split(';')[0]!;
    return viewer;
  }

  async call(path: string, body?: object | string, headers: OutgoingHttpHeaders = {}): Promise<Reply> {
    const text = typeof body === 'string' ? body : body && JSON.stringify(body);
    const own = { cookie: this.session, ...(text !== undefined && { origin: this.origin, 'content-type': 'application/json' }) };
    const answer = await ask(this.origin, `/demo/api/${path}`, { headers: { ...own, ...headers }, body: text });
    this.answers.push(answer);
    return answer;
  }

  async json(path: string, body?: object): Promise<Json> {
    return JSON.parse((await this.call(path, body)).text) as Json;
  }

  /** Follows the events until told to stop; `read` gives what has come so far. */
  follow(): { read: () => string; stop: () => void } {
    let text = '';
    const sent = request(`${this.origin}/demo/api/events`, { headers: { cookie: this.session } }, (response) => response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined));
    sent.on('error', () => undefined).end();
    return { read: () => text, stop: () => sent.destroy() };
  }
}

const outcome = ({ status, text }: Reply): readonly [number, unknown] => [status, (JSON.parse(text) as Json)['code']];

describe('the back end of the demo shop', () => {
  let standalone: Standalone;
  let merchant: Merchant;
  let viewer: Viewer;

  beforeAll(async () => {
    standalone = await startStandalone();
    merchant = await standalone.merchant();
    viewer = await Viewer.enter(standalone.origin);
  });
  afterAll(() => standalone.remove());

  it('makes each browser a customer by a cookie that no script reads and no other site sends', async () => {
    const { headers } = await ask(standalone.origin, '/demo/api/shop');
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^latchkey_demo=[\w-]{43}; Path=\/demo; Max-Age=\d+; HttpOnly; SameSite=Strict$/)]);
    expect((await viewer.call('shop')).headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['another name for this machine', { host: 'evil.example' }, 'foreign-host'],
    ['another site', { origin: 'http://evil.example' }, 'foreign-origin'],
    ['another port', { origin: 'http://127.0.0.1:1' }, 'foreign-origin'],
    ['no origin', { origin: '' }, 'foreign-origin'],
    ['a browser that says cross-site', { 'sec-fetch-site': 'cross-site' }, 'foreign-origin'],
  ])('sells nothing to %s', async (_, headers, code) => {
    const answer = await viewer.call('tickets', { contentId: 'northern-lights', kind: 'buy' }, headers);
    expect(outcome(answer)).toEqual([403, code]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect((await viewer.json('shop'))['tickets']).toEqual([]);
  });

  it.each(['/demo/api/shop', '/demo/%61pi/shop'])('makes no customer of an image on another site: %s', async (path) => {
    const answer = await ask(standalone.origin, path, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' } });
    expect([...outcome(answer), answer.headers['set-cookie']]).toEqual([403, 'foreign-origin', undefined]);
  });

  it('shows its page to nobody by another name', async () => {
    expect(outcome(await ask(standalone.origin, '/demo', { headers: { host: 'evil.example' } }))).toEqual([403, 'foreign-host']);
  });

  it.each([
    ['an unknown film', 'tickets', { contentId: 'no-film', kind: 'buy' }, {}, 404, 'film-unknown'],
    ['an unknown kind', 'tickets', { contentId: 'northern-lights', kind: 'steal' }, {}, 400, 'invalid-request'],
    ['a member that is not known', 'tickets', { contentId: 'northern-lights', kind: 'buy', price: 0 }, {}, 400, 'invalid-request'],
    ['what is no JSON', 'tickets', '{"contentId":', {}, 400, 'invalid-request'],
    ['a body where none is due', 'registration', { deviceId: 'x' }, {}, 400, 'invalid-request'],
    ['another type', 'tickets', '{}', { 'content-type': 'text/plain' }, 415, 'not-json'],
    ['too much', 'tickets', { contentId: 'x'.repeat(5_000), kind: 'buy' }, {}, 413, 'too-large'],
    ['a customer it does not know', 'tickets', { contentId: 'northern-lights', kind: 'buy' }, { cookie: `latchkey_demo=${'A'.repeat(43)}` }, 401, 'no-customer'],
    ['a ticket of somebody else', `tickets/demo-${hex()}/token`, {}, {}, 404, 'ticket-unknown'],
    ['a refund of what was never bought', `tickets/demo-${hex()}/refund`, {}, {}, 404, 'ticket-unknown'],
    ['a device of somebody else', 'devices/0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I/revoke', {}, {}, 404, 'device-unknown'],
    ['a call that there is not', 'treasure', {}, {}, 404, 'not-found'],
  ])('answers %s with a sentence', async (_, path, body, headers, status, code) => {
    const answer = await viewer.call(path, body, headers);
    expect(outcome(answer)).toEqual([status, code]);
    expect((JSON.parse(answer.text) as { detail: string }).detail).toMatch(/^[A-Z].*[a-z].*\.$/);
  });

  it('tells each customer of its own events alone, and never of Latchkey’s cookies', async () => {
    const other = await Viewer.enter(standalone.origin);
    const [mine, theirs] = [viewer.follow(), other.follow()];
    await eventually(async () => expect([mine.read(), theirs.read()]).toEqual([expect.stringContaining('retry'), expect.stringContaining('retry')]));
    const { purchaseId } = await viewer.json('tickets', { contentId: 'northern-lights', kind: 'buy' });
    await eventually(async () => expect(mine.read()).toContain(`"purchaseId":"${String(purchaseId)}"`));
    const { cookie } = await merchant.expect(200, `/v1/purchases/${String(purchaseId)}`);
    expect(mine.read()).not.toContain(String(cookie));
    const own = await other.json('tickets', { contentId: 'northern-lights', kind: 'buy' });
    await eventually(async () => expect(theirs.read()).toContain(String(own['purchaseId'])));
    expect(theirs.read()).not.toContain(String(purchaseId));
    expect(outcome(await other.call(`tickets/${String(purchaseId)}/token`, {}))).toEqual([404, 'ticket-unknown']);
    for (const stream of [mine, theirs]) stream.stop();
  });

  it('never shows the API key, and carries the same policy on everything', async () => {
    const paths = ['/demo', '/demo/page/main.js', '/demo/page/cinema.js', '/demo/device-sdk/index.js', '/demo/device-sdk/stores/indexed-db-store.js', '/demo/shaka-player.js', '/demo/look/halfmoon.css', '/demo/look/moon.svg', '/demo/media/northern-lights/film.mpd', '/demo/nowhere'];
    const answers = [...viewer.answers, ...(await Promise.all(paths.map((path) => ask(standalone.origin, path))))];
    for (const { text, headers } of answers) {
      expect(text + JSON.stringify(headers)).not.toContain(merchant.apiKey);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}=';/);
    }
    expect((await standalone.log()).includes(merchant.apiKey)).toBe(false);
    expect(await Promise.all(paths.map(async (path) => (await ask(standalone.origin, path)).status))).toEqual([...Array<number>(9).fill(200), 404]);
  });

  it('serves films in parts, and no keys with them', async () => {
    const part = await ask(standalone.origin, '/demo/media/northern-lights/video.mp4', { headers: { range: 'bytes=0-99' } });
    expect([part.status, part.headers['content-type'], part.text.length]).toEqual([206, 'video/mp4', 100]);
    expect((await ask(standalone.origin, '/demo/media/northern-lights/film.mpd')).headers['content-type']).toBe('application/dash+xml');
    for (const path of ['media/films.json', 'media/make-clip.mjs', 'media/%2e%2e/package.json', 'page/..%2f..%2fpackage.js', 'look/index.html', 'page/main.ts']) {
      expect([path, (await ask(standalone.origin, `/demo/${path}`)).status]).toEqual([path, 404]);
    }
  });

  it('knows its customers again after a restart, which an open stream does not hold up', async () => {
    const stream = viewer.follow();
    await eventually(async () => expect(stream.read()).toContain('retry'));
    expect(await standalone.process.stop()).toEqual({ exitCode: 0, signal: null });
    await standalone.restart();
    expect((await viewer.json('shop'))['tickets']).toMatchObject([{ contentId: 'northern-lights', state: 'awaiting-device' }]);
  });
});

describe('the demo shop, where it is not wanted', () => {
  it.each([
    ['it is switched off', { LATCHKEY_DEMO: 'off' }],
    ['others than this machine could reach it', { LATCHKEY_HOST: '0.0.0.0' }],
  ])('is not there when %s', async (_, environment) => {
    const standalone = await startStandalone(environment);
    try {
      expect(outcome(await ask(standalone.origin, '/demo'))).toEqual([404, 'not-found']);
      expect(outcome(await ask(standalone.origin, '/demo/api/shop'))).toEqual([404, 'not-found']);
      expect(standalone.process.stdout()).not.toContain('/demo');
    } finally {
      await standalone.remove();
    }
  });
});
