import { confidenceOf, requests, type RequestOutput } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { BindingStore } from './binding-store.js';
import { deviceStateOf, recordOf } from './device.js';
import { DeviceStore } from './device-store.js';

/** Answers what is a query and nothing more. */
@Controller()
export class LookUpController {
  constructor(
    private readonly bindings: BindingStore,
    private readonly devices: DeviceStore,
  ) {}

  @MessagePattern<string>(requests.lookUpBindings.name)
  async lookUpBindings(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.lookUpBindings>> {
    const found = await this.bindings.findMany(readRequest(requests.lookUpBindings, payload).cookies);
    return { bindings: found.map((binding) => ({ merchantId: binding.merchantId, ...recordOf(binding) })) };
  }

  @MessagePattern<string>(requests.listRecords.name)
  async listRecords(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.listRecords>> {
    const { merchantId, start, length } = readRequest(requests.listRecords, payload);
    const found = start === undefined ? await this.bindings.listLast(merchantId, length) : await this.bindings.list(merchantId, start, length);
    return { records: found.map(recordOf) };
  }

  @MessagePattern<string>(requests.listDevices.name)
  async listDevices(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.listDevices>> {
    const { merchantId, accountId } = readRequest(requests.listDevices, payload);
    const found = await this.devices.listOfAccount(merchantId, accountId);
    return {
      devices: found.map(({ deviceId, evidence, stated, revokedAt, registeredAt, lastSeenAt }) => ({
        deviceId,
        evidence,
        confidence: confidenceOf(evidence, stated),
        state: deviceStateOf(revokedAt),
        registeredAt: registeredAt.toISOString(),
        lastSeenAt: lastSeenAt.toISOString(),
      })),
    };
  }
}
