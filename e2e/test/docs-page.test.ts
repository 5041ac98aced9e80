import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWithChromium, openBrowser, screenshot } from '@latchkey/kits/browser';
import { type Standalone, startStandalone } from './standalone.js';

// A browser starts, on machines that may be busy.
jest.setTimeout(120_000);

describeWithChromium('the page of the API', () => {
  let standalone: Standalone;
  let profile: string;

  beforeAll(async () => {
    [standalone, profile] = await Promise.all([startStandalone(), mkdtemp(join(tmpdir(), 'latchkey-e2e-docs-'))]);
  });
  afterAll(async () => {
    await standalone.remove();
    await rm(profile, { recursive: true, force: true });
  });

  it.each(['127.0.0.1', 'localhost'])('takes an API key and makes a cookie of its example, opened as %s', async (host) => {
    const { apiKey } = await standalone.merchant();
    const browser = await openBrowser(join(profile, host));
    try {
      const page = await browser.newPage();
      await page.goto(`${standalone.origin.replace('127.0.0.1', host)}/docs`);
      await page.locator('.auth-wrapper button.authorize').click();
      const dialogue = page.locator('.modal-ux');
      expect(await dialogue.innerText()).not.toMatch(/unsupported/i);
      await dialogue.locator('input').fill(apiKey);
      await dialogue.locator('button[type=submit]').click();
      await dialogue.locator('.btn-done').click();
      const call = page.locator('#operations-Merchant_side-createCookie');
      await call.locator('.opblock-summary-control').click();
      expect(JSON.parse(await call.locator('textarea').inputValue())).toEqual({ accountId: 'alice' });
      const answered = page.waitForResponse((response) => response.url().endsWith('/v1/cookies'));
      await call.locator('button.execute').click();
      const answer = await answered;
      const { cookie } = (await answer.json()) as { cookie: string };
      expect([answer.status(), await call.locator('.live-responses-table').innerText()]).toEqual([201, expect.stringContaining(cookie)]);
      // Not with what was answered: its curl command shows the key.
      await call.locator('button.btn-clear').click();
      await page.setViewportSize({ width: 390, height: 844 });
      await screenshot(page, `docs-${host}`);
    } finally {
      await browser.close();
    }
  });
});
