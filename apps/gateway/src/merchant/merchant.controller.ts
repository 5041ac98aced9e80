import { type OperationInput, operations, type Scope } from '@latchkey/contracts';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';

/** Who a key speaks for. */
@Controller()
export class MerchantController {
  @Operation(operations.showMerchant)
  show(@CalledBy() { merchantId, scopes }: Caller, @Input() _: OperationInput<typeof operations.showMerchant>): { merchantId: string; scopes: readonly Scope[] } {
    return { merchantId, scopes };
  }
}
