import { requests, type RequestOutput } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Metrics } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { BindDevice } from './bind-device.js';

/** Answers licence servers that hold a device's proof and its registration token. */
@Controller()
export class BindDeviceController {
  private readonly outcomes;

  constructor(
    private readonly bindDevice: BindDevice,
    metrics: Metrics,
  ) {
    this.outcomes = metrics.counter('latchkey_device_bindings_total', 'Attempts to bind a device to a cookie, by outcome', ['outcome']);
  }

  @MessagePattern<string>(requests.bindDevice.name)
  async bind(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.bindDevice>> {
    const outcome = await this.bindDevice.bind(readRequest(requests.bindDevice, payload));
    this.outcomes.inc({ outcome });
    return { outcome };
  }
}
