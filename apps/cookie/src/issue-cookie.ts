import { CookieIssued, type CookieView, requests, type RequestInput } from '@latchkey/contracts';
import { newCookie } from '@latchkey/crypto';
import { Outbox, type Tx } from '@latchkey/outbox';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { CookieConfiguration } from './config.js';
import { isSameRequest, lifetimeSeconds, viewOf } from './cookie.js';
import { CookieStore } from './cookie-store.js';

type IssueRequest = RequestInput<typeof requests.issueCookie>;

/** Makes a cookie for an account: once, where the merchant gave an idempotency key. */
@Injectable()
export class IssueCookie {
  constructor(
    private readonly outbox: Outbox,
    private readonly store: CookieStore,
    @Inject(CONFIGURATION) private readonly configuration: CookieConfiguration,
  ) {}

  /** The cookie, the one that the same request made within 24 hours, or why there is none. */
  async issue(request: IssueRequest): Promise<CookieView | 'idempotency-key-differs' | 'ttl-too-long'> {
    const lifetime = lifetimeSeconds(request, this.configuration.ttlSeconds);
    if (lifetime === 'ttl-too-long') return lifetime;
    return this.outbox.transaction(async (tx) => {
      const { merchantId, accountId, ttlSeconds, idempotencyKey } = request;
      if (idempotencyKey !== undefined) await this.store.freeIdempotencyKey(tx, merchantId, idempotencyKey);
      const wanted = { merchantId, accountId, ttlSeconds, idempotencyKey };
      const made = await this.store.insert(tx, { ...wanted, cookie: newCookie(), lifetimeSeconds: lifetime });
      if (!made) return this.answerAgain(tx, request, idempotencyKey!);
      const view = viewOf(made, 'pending');
      tx.append(CookieIssued, { merchantId, cookie: made.cookie, accountId, expiresAt: view.expiresAt });
      return view;
    });
  }

  /** The answer that was given before, word for word: a retry must not be told what has become of the cookie since. */
  private async answerAgain(tx: Tx, request: IssueRequest, idempotencyKey: string): Promise<CookieView | 'idempotency-key-differs'> {
    const earlier = await this.store.findByIdempotencyKey(tx, request.merchantId, idempotencyKey);
    if (!earlier) throw new Error('the idempotency key was in use and is free again; asking anew will do');
    return isSameRequest(earlier, request) ? viewOf(earlier, 'pending') : 'idempotency-key-differs';
  }
}
