import { type DeviceRecord, Problem, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetDeviceRecord } from './get-device-record.js';

/** Answers the gateway when a merchant asks which device a cookie has. */
@Controller()
export class GetDeviceRecordController {
  constructor(private readonly getDeviceRecord: GetDeviceRecord) {}

  @MessagePattern<string>(requests.getDeviceRecord.name)
  async get(@Payload() payload: unknown): Promise<DeviceRecord> {
    const outcome = await this.getDeviceRecord.get(readRequest(requests.getDeviceRecord, payload));
    if (typeof outcome === 'string') throw new Problem(outcome);
    return outcome;
  }
}
