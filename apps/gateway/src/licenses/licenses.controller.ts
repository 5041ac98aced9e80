import { type LicenseVerdict, type OperationInput, operations, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';

/** What merchants' own licence servers ask before they answer a device; our licence server decides. */
@Controller()
export class LicensesController {
  constructor(private readonly requests: Requests) {}

  @Operation(operations.verifyLicense)
  async verify(@CalledBy() { merchantId }: Caller, @Input() { body }: OperationInput<typeof operations.verifyLicense>): Promise<LicenseVerdict> {
    return this.requests.ask(requests.verifyLicense, { merchantId, ...body });
  }
}
