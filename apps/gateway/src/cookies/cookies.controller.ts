import { type CookieView, type OperationInput, operations, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';

/** Cookies, which the cookie service keeps. */
@Controller()
export class CookiesController {
  constructor(private readonly requests: Requests) {}

  @Operation(operations.createCookie)
  async create(@CalledBy() { merchantId }: Caller, @Input() { body, headers }: OperationInput<typeof operations.createCookie>): Promise<CookieView> {
    return this.requests.ask(requests.issueCookie, { merchantId, ...body, idempotencyKey: headers['idempotency-key'] });
  }

  @Operation(operations.showCookie)
  async show(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.showCookie>): Promise<CookieView> {
    return this.requests.ask(requests.getCookie, { merchantId, cookie: params.cookie });
  }
}
