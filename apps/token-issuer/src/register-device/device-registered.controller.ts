import { confidenceOf, DeviceRegistered, type Heard } from '@latchkey/contracts';
import { isThumbprint } from '@latchkey/crypto';
import { type Delivery, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { knowledgeOf } from '../cookie-authorities.js';
import { type CookieFact, cookieKey } from '../cookie-join-store.js';
import type { EndOfWaiting } from '../purchase-store.js';
import { noSigningKey, SigningKeys } from '../signing-keys/signing-keys.js';
import type { deviceRegistered } from '../subscriptions.js';
import { SettleWaiting } from './settle-waiting.js';

type DeviceDelivery = Delivery<Heard<typeof deviceRegistered>>;

/** Devices that were bound to cookies: the purchases that wait for them get their tokens. */
@Controller()
export class DeviceRegisteredController {
  constructor(
    private readonly outbox: Outbox,
    private readonly signingKeys: SigningKeys,
    private readonly waiting: SettleWaiting,
  ) {}

  @EventPattern<string>(DeviceRegistered.type)
  async on(@Payload() batch: readonly DeviceDelivery[]): Promise<readonly Verdict[]> {
    const signer = await this.signingKeys.signerIfAny();
    if (!signer) return batch.map(() => noSigningKey);
    let ends: readonly EndOfWaiting[] = [];
    const verdicts = await handleOnce(this.outbox, batch, async (tx, fresh) => {
      const exceptions = new Map<DeviceDelivery, Verdict>();
      for (const delivery of fresh.filter(isMalformed)) exceptions.set(delivery, quarantine('the device id is no key thumbprint'));
      const sound = fresh.filter((delivery) => !isMalformed(delivery));
      const knowledge = knowledgeOf(sound.map(({ event }) => factOf(event.data)));
      const correlations = new Map(sound.map(({ event }) => [cookieKey(event.data), event.correlationid]));
      const settlement = await this.waiting.settle(tx, knowledge, signer, correlations);
      ends = settlement.ends;
      for (const delivery of sound) {
        const device = settlement.held.joins.get(cookieKey(delivery.event.data))?.device;
        if (device?.deviceId !== delivery.event.data.deviceId) exceptions.set(delivery, quarantine('another device is bound to the cookie'));
      }
      return exceptions;
    });
    this.waiting.report(ends);
    return verdicts;
  }
}

/** A token is bound to a proven device by its thumbprint: with anything else in its place it could not be signed. */
function isMalformed({ event }: DeviceDelivery): boolean {
  return event.data.evidence === 'proof' && !isThumbprint(event.data.deviceId);
}

function quarantine(reason: string): Verdict {
  return { kind: 'quarantine', reason };
}

function factOf({ merchantId, cookie, accountId, deviceId, evidence, confidence, registeredAt }: Heard<typeof deviceRegistered>): CookieFact {
  return { merchantId, cookie, accountId, device: { deviceId, evidence, confidence: confidenceOf(evidence, confidence), registeredAt: new Date(registeredAt) } };
}
