import { operations, type Scope } from '@latchkey/contracts';
import { Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/api-key.guard.js';
import type { Caller } from '../api-keys/authenticate.js';

/** Who a key speaks for. */
@Controller()
export class MerchantController {
  @Operation(operations.showMerchant)
  show(@CalledBy() { merchantId, scopes }: Caller): { merchantId: string; scopes: readonly Scope[] } {
    return { merchantId, scopes };
  }
}
