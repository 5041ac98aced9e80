import { type LicenseVerdict, Problem, requests, verificationCode } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { codeOf, RETRY_AFTER_SECONDS } from '../license/refusal.js';
import { VerificationMetrics } from './verification-metrics.js';
import { VerifyLicense } from './verify-license.js';

/** Answers the gateway on behalf of merchants' own licence servers. */
@Controller()
export class VerifyLicenseController {
  constructor(
    private readonly verifyLicense: VerifyLicense,
    private readonly metrics: VerificationMetrics,
  ) {}

  @MessagePattern<string>(requests.verifyLicense.name)
  async verify(@Payload() payload: unknown): Promise<LicenseVerdict> {
    const question = readRequest(requests.verifyLicense, payload);
    const outcome = await this.verifyLicense.handle(question);
    this.metrics.count(question.drm, outcome);
    if (outcome.ok) return outcome.verdict;
    const { data: code } = verificationCode.safeParse(codeOf(outcome));
    // Whatever is no answer to the question is not known, and what is not known is not allowed.
    if (code === undefined) throw new Problem('unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    return { allow: false, code };
  }
}
