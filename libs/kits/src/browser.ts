import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { describeWhere } from './left-out-suites.js';

/** Set on machines whose Chromium lies elsewhere. */
const PATH_VARIABLE = 'CHROMIUM_PATH';
const screenshots = resolve(import.meta.dirname, '../../../test-results/screenshots');

/** Root may not sandbox; a graphics card, QUIC and updates are what test machines lack; a film has to start without a click. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** The machine's Chromium: at CHROMIUM_PATH, where that is set, else where Debian puts it; undefined where there is none. */
export function findChromium(): string | undefined {
  const path = process.env[PATH_VARIABLE] || '/usr/bin/chromium';
  return existsSync(path) ? path : undefined;
}

/** A suite that needs a real browser; its tests open one by `openBrowser()`. */
export function describeWithChromium(name: string, suite: () => void): void {
  describeWhere(findChromium() !== undefined, `Chromium (/usr/bin/chromium or ${PATH_VARIABLE})`, name, suite);
}

/**
 * Starts Chromium, without a window, on a profile: another folder is another browser of another viewer, and the same
 * folder after `close()` is the same browser started again.
 */
export async function openBrowser(profileDir: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(profileDir, { executablePath: findChromium(), headless: true, args: FLAGS, timeout: 60_000 });
  context.setDefaultTimeout(30_000);
  return context;
}

/** Keeps what the page looks like as `test-results/screenshots/<name>.png`, for whoever reads the run. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}
