import { operations, Problem, requests, type RequestOutput, SigningKeyPublished } from '@latchkey/contracts';
import { importEcPublicJwk } from '@latchkey/crypto';
import { type Delivery, readRequest, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox, type Tx } from '@latchkey/outbox';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Header } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { HeardSigningKeyPublished } from '../subscriptions.js';
import { SigningKeys } from './signing-keys.js';

type PublishedKey = Delivery<HeardSigningKeyPublished>;

/** Hears of signing keys, says which it holds, and shows them. */
@Controller()
export class SigningKeysController {
  constructor(
    private readonly outbox: Outbox,
    private readonly signingKeys: SigningKeys,
  ) {}

  /** Keeps the public half of each key. One whose id is not its thumbprint would verify what another key is named for. */
  @EventPattern<string>(SigningKeyPublished.type)
  async publish(@Payload() batch: readonly PublishedKey[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      const good = fresh.filter(({ event }) => importEcPublicJwk(event.data.publicJwk)?.thumbprint === event.data.keyId);
      await keep(tx, good);
      const bad = fresh.filter((delivery) => !good.includes(delivery));
      return new Map(bad.map((delivery) => [delivery, { kind: 'quarantine', reason: 'the key id is not the thumbprint of the key' }]));
    });
  }

  /** Answers which keys every replica can verify with: token-issuer signs with no other. */
  @MessagePattern<string>(requests.holdSigningKeys.name)
  async held(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.holdSigningKeys>> {
    const { keyIds } = readRequest(requests.holdSigningKeys, payload);
    return { held: await this.signingKeys.heldOf(keyIds) };
  }

  /** The key set with which anybody can verify a token. */
  @Operation(operations.showJwks)
  @Header('cache-control', 'public, max-age=60')
  async show(): Promise<RequestOutput<typeof requests.getJwks>> {
    const keys = await this.signingKeys.all().catch((cause: unknown) => {
      throw new Problem('unavailable', { cause, retryAfterSeconds: 1 });
    });
    return { keys: keys.map(({ keyId, publicJwk }) => ({ ...publicJwk, kid: keyId, alg: 'ES256', use: 'sig' })) };
  }
}

async function keep(tx: Tx, deliveries: readonly PublishedKey[]): Promise<void> {
  const keys = deliveries.map(({ event }) => event.data);
  await tx.rows(
    `insert into signing_keys (key_id, x, y, published_at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as published (key_id, x, y, published_at)
     order by key_id
     on conflict do nothing`,
    [keys.map((key) => key.keyId), keys.map((key) => key.publicJwk.x), keys.map((key) => key.publicJwk.y), keys.map((key) => key.publishedAt)],
  );
}
