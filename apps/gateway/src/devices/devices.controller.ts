import { type DeviceRecord, type OperationInput, operations, requests, type RequestOutput } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';

/** Devices and their bindings, which the device registry keeps. */
@Controller()
export class DevicesController {
  constructor(private readonly requests: Requests) {}

  @Operation(operations.showDeviceRecord)
  async showRecord(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.showDeviceRecord>): Promise<DeviceRecord> {
    return this.requests.ask(requests.getDeviceRecord, { merchantId, cookie: params.cookie });
  }

  @Operation(operations.showAccountDevices)
  async showOfAccount(
    @CalledBy() { merchantId }: Caller,
    @Input() { params }: OperationInput<typeof operations.showAccountDevices>,
  ): Promise<RequestOutput<typeof requests.listDevices>> {
    return this.requests.ask(requests.listDevices, { merchantId, accountId: params.accountId });
  }

  @Operation(operations.createRevocation)
  async revoke(
    @CalledBy() { merchantId }: Caller,
    @Input() { params, body }: OperationInput<typeof operations.createRevocation>,
  ): Promise<RequestOutput<typeof requests.revokeDevice>> {
    return this.requests.ask(requests.revokeDevice, { merchantId, deviceId: params.deviceId, ...body });
  }
}
