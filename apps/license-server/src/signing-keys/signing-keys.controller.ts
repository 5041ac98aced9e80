import { operations, Problem, requests, type RequestOutput, SigningKeyPublished, SigningKeyRetired } from '@latchkey/contracts';
import { importEcPublicJwk } from '@latchkey/crypto';
import { type Delivery, readRequest, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox, type Tx } from '@latchkey/outbox';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Header } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { HeardSigningKeyPublished, HeardSigningKeyRetired } from '../subscriptions.js';
import { SigningKeys } from './signing-keys.js';

type PublishedKey = Delivery<HeardSigningKeyPublished>;
type RetiredKey = Delivery<HeardSigningKeyRetired>;

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

  /** Notes until when a key is trusted, also of one that was not heard of yet: its publication may come later. */
  @EventPattern<string>(SigningKeyRetired.type)
  async retire(@Payload() batch: readonly RetiredKey[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      const retired = fresh.map(({ event }) => event.data);
      await tx.rows(
        `insert into retired_signing_keys (key_id, trusted_until)
         select key_id, min(trusted_until) from unnest($1::text[], $2::timestamptz[]) as retired (key_id, trusted_until)
         group by key_id order by key_id
         on conflict (key_id) do update set trusted_until = least(retired_signing_keys.trusted_until, excluded.trusted_until)`,
        [retired.map(({ keyId }) => keyId), retired.map(({ trustedUntil }) => trustedUntil)],
      );
      return new Map();
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
