import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWhere, FakeDevice } from '@latchkey/kits';
import { previousRelease, whyNoPreviousRelease } from '../upgrade/take-previous-release.js';
import { hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

const missing = await whyNoPreviousRelease();

describeWhere(missing === undefined, missing ?? '', 'a data directory of standalone', () => {
  let standalone: Standalone;
  let merchant: Merchant;
  let root: string;

  beforeAll(async () => {
    ({ root } = await previousRelease());
    standalone = await startStandalone({}, root);
    merchant = await standalone.merchant();
  });
  afterAll(() => standalone?.remove());

  /** A sale whose token gives its device a licence. */
  async function sell(): Promise<() => Promise<number>> {
    const device = new FakeDevice();
    const { kid } = await merchant.contentKey();
    const cookie = await merchant.cookie();
    expect(await merchant.register(device, cookie)).toBe(200);
    const purchaseId = `order-${hex()}`;
    await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } });
    return async () => {
      const { token, licenseUrl } = await merchant.token(purchaseId);
      return (await device.license({ licenseUrl, token, kids: [kid] })).status;
    };
  }

  it('is taken over by this release, and back by the previous one', async () => {
    const before = await sell();
    expect(await before()).toBe(200);
    expect((await standalone.process.stop()).exitCode).toBe(0);
    await standalone.restart();
    const after = await sell();
    expect([await before(), await after()]).toEqual([200, 200]);
    expect((await standalone.process.stop()).exitCode).toBe(0);
    await standalone.restart(root);
    expect([await before(), await after(), await (await sell())()]).toEqual([200, 200, 200]);
  });
});
