import { type RequestOutput, requests } from '@latchkey/contracts';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Reader } from '../rows.js';
import { publishedKeys } from '../signing-key-lifecycle.js';
import { readSigningKeys } from '../signing-key-store.js';

@Controller()
export class GetJwksController {
  constructor(private readonly reader: Reader) {}

  @MessagePattern<string>(requests.getJwks.name)
  async get(): Promise<RequestOutput<typeof requests.getJwks>> {
    const { keys, now } = await readSigningKeys(this.reader);
    return publishedKeys(keys, now);
  }
}
