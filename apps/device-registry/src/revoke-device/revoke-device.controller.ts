import { Problem, requests, type RequestOutput } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { RevokeDevice } from './revoke-device.js';

/** Answers the gateway when a merchant gives a device up. */
@Controller()
export class RevokeDeviceController {
  constructor(private readonly revokeDevice: RevokeDevice) {}

  @MessagePattern<string>(requests.revokeDevice.name)
  async revoke(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.revokeDevice>> {
    const outcome = await this.revokeDevice.revoke(readRequest(requests.revokeDevice, payload));
    if (outcome === 'device-unknown') throw new Problem(outcome);
    return outcome;
  }
}
