import { describe, expect, it } from '@jest/globals';
import { BrokerMembership } from './broker-membership.js';
import { createLogger } from './logger.js';

const logger = createLogger('license-server', 'silent');
const failing = (times: number): (() => Promise<void>) => async () => {
  if ((times -= 1) >= 0) throw new Error('403 ACCESS_REFUSED');
};

describe('BrokerMembership', () => {
  it('of a service that works without the broker is tried until it succeeds, and comes up meanwhile', async () => {
    const membership = new BrokerMembership(failing(3), logger, 5);
    await membership.join({ wait: false });
    expect(membership.joined).toBe(false);
    while (!membership.joined) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('of a service that needs the broker fails with it', async () => {
    await expect(new BrokerMembership(failing(1), logger, 5).join({ wait: true })).rejects.toThrow('ACCESS_REFUSED');
  });

  it('is tried no more once the service stops', async () => {
    let attempts = 0;
    const membership = new BrokerMembership(async () => Promise.reject(new Error(`no ${(attempts += 1)}`)), logger, 1);
    await membership.join({ wait: false });
    membership.stop();
    const then = attempts;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(attempts).toBe(then);
  });
});
