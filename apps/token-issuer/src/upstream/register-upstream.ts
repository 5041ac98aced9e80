import { type CookieView, Problem, type RequestOutput, type requests } from '@latchkey/contracts';
import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { RegistrationRequest } from '../registration-token.js';
import type { UpstreamAccount } from './upstream-account.js';
import { problemOfUpstream } from './upstream-problem.js';
import { UpstreamRegistrations } from './upstream-registrations.js';
import { tokenForm } from './upstream-request.js';
import { failureOf } from './upstream-retry.js';

const ATTEMPTS = 2;

/** Has a device register elsewhere: with a provider's token for content that does not exist, the cookie attached to it. */
@Injectable()
export class RegisterUpstream {
  constructor(
    private readonly registrations: UpstreamRegistrations,
    private readonly logger: Logger,
  ) {}

  async register(
    account: UpstreamAccount,
    { merchantId, cookie, deviceId }: RegistrationRequest,
    { accountId, expiresAt: cookieExpiresAt }: CookieView,
    expiresAt: Date,
  ): Promise<RequestOutput<typeof requests.issueRegistrationToken>> {
    // The device there is named by its DRM, and not by a key whose thumbprint could be waited for.
    if (deviceId !== undefined) throw new Problem('invalid-request', { errors: [{ path: '/deviceId', message: 'must not be given where tokens come from a licence service elsewhere' }] });
    const terms = { cookie, kid: randomHex(), contentKey: randomHex(), rights: { type: 'purchase' as const } };
    const answer = await account.token(tokenForm(account.provider, terms, { now: new Date(), expiresAt }), ATTEMPTS);
    if (answer.kind !== 'token') {
      this.logger.warn('a provider gave no registration token', { merchantId, failure: failureOf(answer) });
      throw problemOfUpstream(answer);
    }
    await this.registrations.remember({ merchantId, cookie, accountId, cookieExpiresAt: new Date(cookieExpiresAt), tokenExpiresAt: expiresAt });
    return { token: answer.token, licenseUrl: answer.licenseUrl, expiresAt: expiresAt.toISOString() };
  }
}

/** A kid or a key of nothing at all. */
function randomHex(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
}
