import { setTimeout as delay } from 'node:timers/promises';
import { Problem, requests, SigningKeyPublished, SigningKeyRetired } from '@latchkey/contracts';
import { exportSigningKey, generateSigningKey, importSigningKey, type SigningKey } from '@latchkey/crypto';
import { Requests, type Verdict } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { CONFIGURATION, Health, Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import { Reader } from '../rows.js';
import { decideKeyWork, type StoredSigningKey, trustedUntil } from '../signing-key-lifecycle.js';
import { activateKey, insertAnnouncedKey, readSigningKeys } from '../signing-key-store.js';

/** A key that waits for the licence servers is looked after this often, and so is a service without a key. */
const BUSY_INTERVAL_MS = 250;
/** How long another replica's new key goes unnoticed. The old one is good for as long as its tokens. */
const QUIET_INTERVAL_MS = 2_000;
/** How long something that needs a key waits for the first one. */
const KEY_WAIT_MS = 4_000;

/** The verdict of an event that cannot be handled before there is a key. */
export const noSigningKey: Verdict = { kind: 'wait', reason: 'no signing key is active yet' };

/** The purpose under which a signing key is wrapped. The re-wrap command uses it too. */
export function signingKeyPurpose(keyId: string): string {
  return `signing-key:${keyId}`;
}

/** Keeps the signing keys: makes the first one, has licence servers hold it before it signs, and replaces it when it is old. */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private active: SigningKey | undefined;
  private quietUntilMs = 0;
  private readonly job: Periodic;

  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly requests: Requests,
    private readonly logger: Logger,
    health: Health,
  ) {
    this.job = new Periodic('signing-keys', BUSY_INTERVAL_MS, () => this.look(), logger);
    health.add('signing-key', true, async () => (this.active ? undefined : 'the licence servers do not hold a signing key yet'));
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }

  /** The key that signs now. Throws `unavailable` where there is none yet, after waiting a moment for the first one. */
  async signer(): Promise<SigningKey> {
    const key = await this.signerIfAny();
    if (!key) throw new Problem('unavailable', { detail: 'no signing key is active yet', retryAfterSeconds: 1 });
    return key;
  }

  /** The same for event handlers, which must not throw: a batch that fails is tried once more one by one, each waiting again. */
  async signerIfAny(): Promise<SigningKey | undefined> {
    const deadlineMs = Date.now() + KEY_WAIT_MS;
    while (!this.active && Date.now() < deadlineMs) await delay(50);
    return this.active;
  }

  private async look(): Promise<void> {
    if (Date.now() < this.quietUntilMs) return;
    const { keys, now } = await readSigningKeys(this.reader);
    this.take(keys.find((key) => key.state === 'active'));
    const work = decideKeyWork(keys, now, this.configuration.signingKeyAgeSecondsMax);
    if (work.kind === 'announce') await this.announce();
    if (work.kind === 'activate-when-held') await this.activateWhenHeld(work.keyId);
    this.quietUntilMs = work.kind === 'nothing' ? Date.now() + QUIET_INTERVAL_MS : 0;
  }

  private take(stored: StoredSigningKey | undefined): void {
    // None at all: an operator has withdrawn it. What it would sign now nobody would honour.
    if (!stored) return void (this.active = undefined);
    if (stored.keyId === this.active?.keyId) return;
    const plain = this.configuration.keyRing.unwrapSecret(signingKeyPurpose(stored.keyId), stored.wrappedKey);
    const key = plain && importSigningKey(plain);
    if (!key) throw new Error('the signing key cannot be unwrapped: LATCHKEY_KEK lacks the key that wrapped it');
    this.active = key;
    this.logger.info('signing with', { signingKeyId: key.keyId });
  }

  private async announce(): Promise<void> {
    const key = generateSigningKey();
    const { keyId, publicJwk } = key;
    const wrappedKey = this.configuration.keyRing.wrapSecret(signingKeyPurpose(keyId), exportSigningKey(key));
    await this.outbox.transaction(async (tx) => {
      const announced = await insertAnnouncedKey(tx, { keyId, publicJwk, wrappedKey });
      if (announced) tx.append(SigningKeyPublished, { keyId, publicJwk, publishedAt: announced.announcedAt.toISOString() });
    });
  }

  private async activateWhenHeld(keyId: string): Promise<void> {
    const held = await this.heldByLicenseServers(keyId);
    if (!held) return;
    const retired = await this.outbox.transaction(async (tx) => {
      const retired = await activateKey(tx, keyId);
      for (const old of retired ?? []) {
        tx.append(SigningKeyRetired, { keyId: old.keyId, retiredAt: old.retiredAt.toISOString(), trustedUntil: trustedUntil(old.retiredAt).toISOString() });
      }
      return retired;
    });
    if (retired) this.logger.info('a signing key took over', { signingKeyId: keyId });
  }

  /** That they do not answer is ordinary while everything starts; the key waits. */
  private async heldByLicenseServers(keyId: string): Promise<boolean> {
    try {
      const { held } = await this.requests.ask(requests.holdSigningKeys, { keyIds: [keyId] }, 2_000);
      return held.includes(keyId);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.logger.debug('licence servers do not say yet which signing keys they hold', { code: error.code });
      return false;
    }
  }
}
