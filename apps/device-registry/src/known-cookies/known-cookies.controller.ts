import { CookieIssued, type Heard } from '@latchkey/contracts';
import type { Delivery, Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { cookieIssued } from '../subscriptions.js';
import { KnownCookieStore } from './known-cookie-store.js';

/** Hears which cookies exist. */
@Controller()
export class KnownCookiesController {
  constructor(
    private readonly knownCookies: KnownCookieStore,
    private readonly outbox: Outbox,
  ) {}

  @EventPattern<string>(CookieIssued.type)
  async onCookieIssued(@Payload() batch: readonly Delivery<Heard<typeof cookieIssued>>[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      await this.knownCookies.add(tx, fresh.map(({ event }) => event.data));
      return new Map();
    });
  }
}
