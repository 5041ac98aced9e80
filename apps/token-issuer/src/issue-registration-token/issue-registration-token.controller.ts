import { Problem, type RequestOutput, requests } from '@latchkey/contracts';
import { newId, signToken } from '@latchkey/crypto';
import { readRequest, Requests } from '@latchkey/messaging';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { TokenIssuerConfiguration } from '../config.js';
import { decideRegistration } from '../registration-token.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { RegisterUpstream } from '../upstream/register-upstream.js';
import { Upstreams } from '../upstream/upstreams.js';

/**
 * Mints registration tokens. They are not kept: each is good for ten minutes and opens no content. Merchants whose tokens
 * come from elsewhere have theirs from there.
 */
@Controller()
export class IssueRegistrationTokenController {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly requests: Requests,
    private readonly signingKeys: SigningKeys,
    private readonly upstreams: Upstreams,
    private readonly elsewhere: RegisterUpstream,
  ) {}

  @MessagePattern<string>(requests.issueRegistrationToken.name)
  async issue(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.issueRegistrationToken>> {
    const request = readRequest(requests.issueRegistrationToken, payload);
    const { merchantId, cookie } = request;
    const { tokenIssuer: iss, licenseUrl, registrationTokenTtlSeconds: ttlSeconds } = this.configuration;
    const view = await this.requests.ask(requests.getCookie, { merchantId, cookie });
    const account = this.upstreams.of(merchantId);
    const decision = decideRegistration(request, view, { iss, aud: licenseUrl, now: new Date(), ttlSeconds, jti: newId('reg') });
    if (decision.kind === 'refuse') throw problemOfRegistration(decision.code);
    const { claims } = decision;
    if (account) return this.elsewhere.register(account, request, view, new Date(claims.exp * 1000));
    const signer = await this.signingKeys.signer();
    return { token: signToken(signer, 'registration', claims), licenseUrl, expiresAt: new Date(claims.exp * 1000).toISOString() };
  }
}

function problemOfRegistration(code: 'cookie-expired' | 'cookie-bound' | 'device-id-not-a-thumbprint'): Problem {
  if (code !== 'device-id-not-a-thumbprint') return new Problem(code);
  const message = 'must be the SHA-256 thumbprint of the device’s key (RFC 7638)';
  return new Problem('invalid-request', { errors: [{ path: '/deviceId', message }] });
}
