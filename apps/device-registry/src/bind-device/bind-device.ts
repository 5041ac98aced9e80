import { confidenceOf, DeviceRegistered, normaliseDeviceId, requests, type RequestInput, type RequestOutput } from '@latchkey/contracts';
import { Outbox, type Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { BindingStore } from '../binding-store.js';
import { type BindingDecision, decideBinding } from '../device.js';
import { DeviceStore } from '../device-store.js';

type BindRequest = RequestInput<typeof requests.bindDevice>;
type BindOutcome = RequestOutput<typeof requests.bindDevice>['outcome'];

/** Binds a device to a cookie: the first that comes, and no other. */
@Injectable()
export class BindDevice {
  constructor(
    private readonly outbox: Outbox,
    private readonly devices: DeviceStore,
    private readonly bindings: BindingStore,
  ) {}

  /** What became of it. `DeviceRegistered` goes out with a new binding, and only with a new one. */
  async bind(request: BindRequest): Promise<BindOutcome> {
    const wanted = { ...request, deviceId: normaliseDeviceId(request.deviceId) };
    return this.outbox.transaction(async (tx) => {
      await this.devices.lock(tx, wanted);
      const decision = await this.attempt(tx, wanted);
      return decision === 'bind' || decision === 'bound-again' ? 'bound' : decision;
    });
  }

  private async attempt(tx: Tx, wanted: BindRequest): Promise<BindingDecision> {
    const { merchantId, cookie, accountId, deviceId, evidence, confidence: stated } = wanted;
    const { now, ...found } = await this.bindings.situationOf(tx, wanted);
    const decision = decideBinding(wanted, { ...found, cookieExpiresAt: new Date(wanted.cookieExpiresAt) }, now);
    if (decision === 'bound-again') await this.bindings.markSeen(tx, wanted, now);
    if (decision !== 'bind') return decision;
    const won = await this.bindings.insert(tx, { merchantId, cookie, accountId, deviceId, evidence, stated, registeredAt: now });
    // Somebody was committed since we looked, and it was another device: this one's id is locked by us.
    if (!won) return 'cookie-bound-elsewhere';
    const confidence = confidenceOf(evidence, stated);
    tx.append(DeviceRegistered, { merchantId, cookie, accountId, deviceId, evidence, confidence, registeredAt: now.toISOString() });
    return decision;
  }
}
