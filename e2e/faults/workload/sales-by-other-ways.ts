import { FakeDevice } from '@latchkey/kits';
import type { Terms } from '../operation.js';
import { contentToken, dummyToken, newPlaySale, redeem, redeemDummy } from './expressplay.js';
import type { Story } from './stories.js';

const TOKEN_WAIT_SECONDS = 5;
const AT_ONCE = 3;

/** Sales that do not go by the merchant's checkout and its devices' keys. */
export const salesByOtherWays = {
  /** A merchant's ExpressPlay code: a dummy token, a redemption, the same sale several times at once, a thief. */
  async expressPlay(actor) {
    const sale = newPlaySale();
    const dummy = await dummyToken(actor, sale);
    if (dummy === undefined) return;
    await redeemDummy(actor, dummy, sale);
    const tokens = await Promise.all(Array.from({ length: AT_ONCE }, () => contentToken(actor, sale)));
    const [token] = tokens.filter((one) => one !== undefined);
    if (token === undefined) return;
    await redeem(actor, token, sale, sale.deviceId);
    await redeem(actor, token, sale, newPlaySale().deviceId);
  },

  /** A merchant whose tokens come from a licence service: the purchase waits until its order there is done. */
  async upstreamOrder(anyone) {
    const actor = anyone.as(anyone.world.target.upstreamSeller);
    const cookie = await actor.cookie(`account-${actor.random.between(1, 50)}`);
    if (cookie === undefined) return;
    const device = new DrmDevice();
    const purchaseId = `order-${crypto.randomUUID()}`;
    const terms: Terms = { purchaseId, cookie, contentId: 'film', kids: [actor.world.upstreamKid], rights: { type: 'purchase' } };
    const order = actor.world.ledger.open(terms, [device], actor.world.seller);
    const buy = () => actor.persist(() => actor.purchase(terms, 'http'));
    if (actor.random.chance(0.5)) await Promise.all([actor.registerUpstream(cookie, device.deviceId), buy()]);
    else {
      await actor.registerUpstream(cookie, device.deviceId);
      await buy();
    }
    await actor.token(order, TOKEN_WAIT_SECONDS);
    if (actor.random.chance(0.3)) await actor.persist(() => actor.refund(purchaseId, 'http'));
    await actor.token(order, 0);
  },
} satisfies Record<string, Story>;

/** A device that its DRM names. */
class DrmDevice extends FakeDevice {
  private readonly drmId = crypto.randomUUID().replaceAll('-', '');

  override get deviceId(): string {
    return this.drmId;
  }
}
