import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually } from '@latchkey/kits';
import { describeWithChromium, openBrowser, screenshot } from '@latchkey/kits/browser';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

type Browser = Awaited<ReturnType<typeof openBrowser>>;
type Page = ReturnType<Browser['pages']>[number];

const RENTAL_SECONDS = 8;
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };

/** What the page shows of the film. */
interface Seen {
  readonly state: string | undefined;
  readonly seconds: number;
  readonly frames: number;
}

const seen = (page: Page): Promise<Seen> =>
  page.evaluate(() => {
    const video = document.querySelector('video')!;
    return { state: document.getElementById('screen')!.dataset['state'], seconds: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
  });
const text = async (page: Page, selector: string): Promise<string> => (await page.locator(selector).textContent()) ?? '';
const says = (page: Page, expected: RegExp): Promise<void> => eventually(async () => expect(await text(page, '#usher')).toMatch(expected), { timeoutMs: 30_000 });

/** The page is open; else what it says instead. It has long: a dozen services may share the machine. */
const comesUp = (page: Page): Promise<void> =>
  eventually(
    async () => {
      if (await page.locator('#usher[data-ready]').count()) return;
      throw new Error(`the page is not ready: ${await text(page, '#usher')}`);
    },
    { timeoutMs: 60_000 },
  );

async function plays(page: Page): Promise<void> {
  await eventually(
    async () => {
      const { state, seconds, frames } = await seen(page);
      expect([state, seconds > 1, frames > 10]).toEqual(['playing', true, true]);
    },
    { timeoutMs: 30_000 },
  );
}

/** Nothing of the film is seen: not now, and not a moment later either. */
async function staysDark(page: Page, state: string): Promise<void> {
  await eventually(async () => expect((await seen(page)).state).toBe(state), { timeoutMs: 30_000 });
  const before = await seen(page);
  await page.waitForTimeout(1_000);
  const after = await seen(page);
  expect([after.state, after.frames, after.seconds]).toEqual([state, before.frames, before.seconds]);
  expect(await page.locator('#curtain').isVisible()).toBe(true);
}

/** By the Tab key alone, to the control; it must show that it has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press('Tab');
    const there = await page.locator(selector).evaluate((control) => control === document.activeElement && (control.matches('input') || getComputedStyle(control).outlineStyle === 'solid'));
    if (there) return;
  }
  throw new Error(`${selector} is not reached by the keyboard`);
}

describeWithChromium('the demo shop in a browser', () => {
  let standalone: Standalone;
  let profiles: string;
  let browser: Browser;
  let page: Page;
  let deviceId: string;
  const licences: number[] = [];
  const faults: string[] = [];

  /** The shop, in a browser with the profile of that name; the same name is the same browser. */
  const enter = async (profile: string): Promise<{ browser: Browser; page: Page }> => {
    const opened = await openBrowser(join(profiles, profile));
    const [first] = opened.pages();
    await first!.setViewportSize(DESK);
    first!.on('pageerror', ({ message }) => faults.push(message));
    first!.on('console', (message) => /Content Security Policy/.test(message.text()) && faults.push(message.text()));
    first!.on('response', (response) => response.url().endsWith('/v1/licenses') && response.request().method() === 'POST' && licences.push(response.status()));
    await first!.goto(`${standalone.origin}/demo`);
    await first!.waitForSelector('#usher[data-ready]');
    return { browser: opened, page: first! };
  };
  const chipId = async (): Promise<string> => (await page.locator('#device-chip').getAttribute('title'))!;
  const fits = async (state: string): Promise<void> => {
    await page.setViewportSize(PHONE);
    expect([state, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([state, PHONE.width]);
    await screenshot(page, `demo-shop-${state}-phone`);
    await page.setViewportSize(DESK);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `demo-shop-${state}-${colorScheme}`);
    }
  };

  beforeAll(async () => {
    standalone = await startStandalone({ LATCHKEY_DEMO_RENTAL_SECONDS: String(RENTAL_SECONDS) });
    profiles = await mkdtemp(join(tmpdir(), 'latchkey-demo-shop-'));
    ({ browser, page } = await enter('first'));
  });
  afterAll(async () => {
    await browser?.close();
    await standalone?.remove();
    await rm(profiles, { recursive: true, force: true });
  });

  it('registers this browser, sells it a film, and plays it', async () => {
    await fits('empty');
    await page.click('#register');
    await says(page, /^This browser is \S+ now/);
    deviceId = await chipId();
    await page.click('#buy');
    await says(page, /Dawn over the Bay is yours/);
    await fits('bought');
    await page.click('#watch');
    await plays(page);
    await says(page, /on this device and no other/);
    await fits('playing');
  });

  it('draws the events on their lanes as they happen', async () => {
    await eventually(async () => {
      const rows = await page.locator('#events li').allTextContents();
      const newest = [/licence server to device: \S+ got its licence/, /issuer to device: a token for Dawn over the Bay/, /shop to issuer: Dawn over the Bay was paid for/, /device to registry: \S+ proved its key/];
      for (const each of newest) expect(rows.filter((row) => each.test(row))).toHaveLength(1);
    });
    expect(await page.locator('#events li').last().getAttribute('class')).toContain('from-1 to-2 rightward');
  });

  it('plays nothing on another device that has the very token, and says why', async () => {
    await page.click('[data-key^="copy-"]');
    await eventually(async () => expect(await page.inputValue('#copied')).not.toBe(''));
    const other = await enter('second');
    try {
      await other.page.fill('#pasted', await page.inputValue('#copied'));
      licences.length = 0;
      await other.page.click('#try');
      await staysDark(other.page, 'refused');
      expect(await seen(other.page)).toMatchObject({ seconds: 0, frames: 0 });
      expect(licences.filter((status) => status === 200)).toEqual([]);
      expect(licences).toContain(401);
      const verdict = await text(other.page, '#verdict');
      expect(verdict).toContain(`another device, ${deviceId.slice(0, 4)}…${deviceId.slice(-4)}`);
      expect(verdict).toContain('401 invalid-token');
      await screenshot(other.page, 'demo-shop-refused');
      await other.page.fill('#pasted', 'not a token');
      await other.page.click('#try');
      await eventually(async () => expect(await text(other.page, '#verdict')).toMatch(/not a ticket of this cinema/));
    } finally {
      await other.browser.close();
    }
    await eventually(async () => expect((await page.locator('#events li').allTextContents())[0]).toMatch(/was refused: invalid-token/));
  });

  it('is the same device after the browser was closed, and plays without registering again', async () => {
    await browser.close();
    ({ browser, page } = await enter('first'));
    expect([await chipId(), await page.locator('#register').isVisible()]).toEqual([deviceId, false]);
    await page.click('[data-key^="watch-"]');
    await plays(page);
  });

  it('stops the film when its ticket is given back, and its token opens nothing any more', async () => {
    await page.click('[data-key^="refund-"]');
    await says(page, /given back, so the film stops/);
    await staysDark(page, 'over');
    await page.fill('#pasted', await copiedBefore());
    licences.length = 0;
    await page.click('#try');
    await eventually(async () => expect(await text(page, '#verdict')).toMatch(/ticket was given back.*401 invalid-token/));
    await staysDark(page, 'refused');
    expect(licences.filter((status) => status === 200)).toEqual([]);
  });

  /** A token of a ticket that was given back since: the shop itself gives none out any more. */
  const copiedBefore = async (): Promise<string> => {
    const bought = await page.evaluate(async () => {
      const post = async (path: string, body: object): Promise<Record<string, string>> => {
        const response = await fetch(`/demo/api/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        return response.status === 204 ? {} : ((await response.json()) as Record<string, string>);
      };
      const { purchaseId } = await post('tickets', { contentId: 'dawn-over-the-bay', kind: 'buy' });
      const { token } = await post(`tickets/${purchaseId}/token`, {});
      await post(`tickets/${purchaseId}/refund`, {});
      return token;
    });
    return bought!;
  };

  it('ends a rental when its clock has run out', async () => {
    await page.click('input[value="northern-lights"]', { force: true });
    await page.click('#rent');
    await says(page, /is rented: 8 seconds/);
    await page.click('#watch');
    await plays(page);
    expect(await text(page, '#clock-text')).toMatch(/^0:0[0-8]$/);
    await screenshot(page, 'demo-shop-rental');
    await says(page, /^Your rental has ended\. Rent the film again/);
    await staysDark(page, 'over');
    expect(await text(page, '#card-answer')).toBe('licence server: 403 rental-expired');
    await fits('over');
  });

  it('sells by the keyboard alone, and each control shows its focus', async () => {
    const visitor = await enter('third');
    try {
      await tabTo(visitor.page, '.skip');
      await tabTo(visitor.page, '#register');
      await visitor.page.keyboard.press('Enter');
      await says(visitor.page, /^This browser is \S+ now/);
      await tabTo(visitor.page, 'input[value="dawn-over-the-bay"]');
      await visitor.page.keyboard.press('ArrowDown');
      await tabTo(visitor.page, '#buy');
      await visitor.page.keyboard.press('Space');
      await says(visitor.page, /Northern Lights is yours/);
      await tabTo(visitor.page, '#watch');
      await visitor.page.keyboard.press('Enter');
      await plays(visitor.page);
      await tabTo(visitor.page, '[data-key^="refund-"]');
      await visitor.page.keyboard.press('Enter');
      await says(visitor.page, /the film stops/);
      expect(await visitor.page.evaluate(() => document.activeElement?.id)).toBe('tickets-title');
    } finally {
      await visitor.browser.close();
    }
  });

  it('gives a revoked device nothing, until the browser starts again as another one', async () => {
    await page.click('#buy');
    await says(page, /Northern Lights is yours/);
    await page.click('#watch');
    await plays(page);
    await page.click('[data-key^="revoke-"]');
    await says(page, /was revoked, and that is for good/);
    await staysDark(page, 'over');
    await fits('revoked');
    await page.click('#watch');
    await says(page, /revoked|no valid ticket/);
    expect((await seen(page)).state).not.toBe('playing');
    // The page before is ready too, until it is loaded anew.
    const loaded = page.waitForEvent('domcontentloaded');
    await page.click('#new-device');
    await loaded;
    await comesUp(page);
    await page.click('#register');
    await says(page, /^This browser is \S+ now/);
    expect(await chipId()).not.toBe(deviceId);
    expect(await page.locator('#devices li').count()).toBe(2);
  });

  it('has broken nothing of its own policy, and thrown nothing', () => expect(faults).toEqual([]));
});
