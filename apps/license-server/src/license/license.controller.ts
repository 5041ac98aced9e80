import type { IncomingMessage } from 'node:http';
import { type License, operations } from '@latchkey/contracts';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Req } from '@nestjs/common';
import { CreateLicense } from './create-license.js';
import { LicenseMetrics } from './license-metrics.js';
import { problemOf } from './refusal.js';

/** What is used of Fastify's request: the message itself, its query, and the bytes of its body. */
interface RawRequest {
  readonly raw: IncomingMessage;
  readonly query: object;
  readonly body: Uint8Array | undefined;
}

/** Where devices ask for licences. */
@Controller()
export class LicenseController {
  constructor(
    private readonly createLicense: CreateLicense,
    private readonly metrics: LicenseMetrics,
  ) {}

  /** Answers a licence, or throws the problem that the refusal is. */
  @Operation(operations.createLicense)
  async create(@Req() request: RawRequest): Promise<License> {
    const outcome = await this.createLicense.handle({ headers: request.raw.headersDistinct, query: request.query, body: request.body });
    this.metrics.count(outcome);
    if (!outcome.ok) throw problemOf(outcome);
    return outcome.license;
  }
}
