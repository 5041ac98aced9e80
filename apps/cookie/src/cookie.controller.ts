import { type CookieView, DeviceRegistered, type Heard, Problem, requests, type RequestOutput } from '@latchkey/contracts';
import { type Delivery, readRequest, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { AdoptCookie } from './adopt-cookie.js';
import { CookieStore } from './cookie-store.js';
import { GetCookie } from './get-cookie.js';
import { IssueCookie } from './issue-cookie.js';
import type { deviceRegistered } from './subscriptions.js';

/** Everything that reaches the cookie service over the broker. */
@Controller()
export class CookieController {
  constructor(
    private readonly issueCookie: IssueCookie,
    private readonly getCookie: GetCookie,
    private readonly adoptCookie: AdoptCookie,
    private readonly store: CookieStore,
    private readonly outbox: Outbox,
  ) {}

  @MessagePattern<string>(requests.issueCookie.name)
  async issue(@Payload() payload: unknown): Promise<CookieView> {
    const outcome = await this.issueCookie.issue(readRequest(requests.issueCookie, payload));
    if (outcome === 'ttl-too-long') {
      throw new Problem('invalid-request', { errors: [{ path: '/ttlSeconds', message: 'must be at most 30 days' }] });
    }
    if (outcome === 'idempotency-key-differs') throw new Problem(outcome);
    return outcome;
  }

  @MessagePattern<string>(requests.getCookie.name)
  async get(@Payload() payload: unknown): Promise<CookieView> {
    const outcome = await this.getCookie.get(readRequest(requests.getCookie, payload));
    if (outcome === 'cookie-unknown') throw new Problem(outcome);
    return outcome;
  }

  @MessagePattern<string>(requests.adoptCookie.name)
  async adopt(@Payload() payload: unknown): Promise<CookieView> {
    const outcome = await this.adoptCookie.adopt(readRequest(requests.adoptCookie, payload));
    if (outcome === 'cookie-unknown') throw new Error('the cookie was forgotten at this very moment; asking anew will do');
    return outcome;
  }

  @MessagePattern<string>(requests.lookUpCookies.name)
  async lookUp(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.lookUpCookies>> {
    const found = await this.store.findMany(readRequest(requests.lookUpCookies, payload).cookies);
    return {
      cookies: found.map(({ merchantId, cookie, accountId, expiresAt }) => {
        return { merchantId, cookie, accountId, expiresAt: expiresAt.toISOString() };
      }),
    };
  }

  /**
   * A registration of a cookie that is not here is let go: a cookie is committed before anybody can be told of it, so
   * only one that was pruned can be meant, and waiting would not bring it back.
   */
  @EventPattern<string>(DeviceRegistered.type)
  async onDeviceRegistered(@Payload() batch: readonly Delivery<Heard<typeof deviceRegistered>>[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      await this.store.markBound(tx, fresh.map(({ event }) => event.data));
      return new Map();
    });
  }
}
