import { Problem, type RequestOutput, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Reader } from '../rows.js';
import { changeStoredKey, findLastStoredKeys, findStoredKeys, insertStoredKeys, removeStoredKeys } from './stored-key-store.js';

/**
 * The merchants' key stores. What lies in one is opaque here: it is wrapped under a KEK that never comes to this service, and
 * is no content key of a purchase until its merchant hands it over as one.
 */
@Controller()
export class KeyStoreController {
  constructor(
    private readonly outbox: Outbox,
    private readonly reader: Reader,
  ) {}

  @MessagePattern<string>(requests.storeKeys.name)
  async store(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.storeKeys>> {
    const { merchantId, keys } = readRequest(requests.storeKeys, payload);
    const kids = keys.map(({ kid }) => kid);
    const twice = kids.findIndex((kid, index) => kids.indexOf(kid) < index);
    if (twice >= 0) throw new Problem('invalid-request', { errors: [{ path: `/keys/${twice}/kid`, message: 'must be another than those before' }] });
    return this.outbox.transaction(async (tx) => {
      const written = await insertStoredKeys(tx, merchantId, keys);
      // Thrown inside the transaction: of several keys all are stored, or none.
      if (written.length < keys.length) throw new Problem('stored-key-exists');
      return { keys: inOrderOf(kids, written) };
    });
  }

  @MessagePattern<string>(requests.changeStoredKey.name)
  async change(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.changeStoredKey>> {
    const { merchantId, kid, change } = readRequest(requests.changeStoredKey, payload);
    return { key: await this.outbox.transaction((tx) => changeStoredKey(tx, merchantId, kid, change)) };
  }

  @MessagePattern<string>(requests.getStoredKeys.name)
  async get(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.getStoredKeys>> {
    const { merchantId, kids } = readRequest(requests.getStoredKeys, payload);
    if (!kids) return { keys: await findLastStoredKeys(this.reader, merchantId, requests.EXPRESSPLAY_PAGE_MAX) };
    return { keys: inOrderOf(kids, await findStoredKeys(this.reader, merchantId, kids)) };
  }

  @MessagePattern<string>(requests.deleteStoredKeys.name)
  async delete(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.deleteStoredKeys>> {
    const { merchantId, kids } = readRequest(requests.deleteStoredKeys, payload);
    const gone = new Set(await this.outbox.transaction((tx) => removeStoredKeys(tx, merchantId, kids)));
    return { kids: [...new Set(kids)].filter((kid) => gone.has(kid)) };
  }
}

/** The keys in the order in which their kids were named, each once. */
function inOrderOf(kids: readonly string[], keys: readonly requests.StoredKey[]): requests.StoredKey[] {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  return [...new Set(kids)].flatMap((kid) => byKid.get(kid) ?? []);
}
