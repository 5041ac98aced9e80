import { Outbox, type Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Webhook } from './webhook.js';

/** A webhook that is about to be stored. */
export type NewWebhook = Pick<Webhook, 'webhookId' | 'merchantId' | 'url' | 'eventTypes' | 'description'> & { readonly wrappedSecret: string };

/** The wrapped secrets of a webhook. */
export interface WrappedSecrets {
  readonly webhookId: string;
  readonly secret: string;
  readonly previous: string | undefined;
}

interface WebhookRow {
  readonly webhook_id: string;
  readonly merchant_id: string;
  readonly url: string;
  readonly event_types: string[] | null;
  readonly description: string | null;
  readonly created_at: Date;
  readonly failing_since: Date | null;
  readonly disabled_at: Date | null;
  readonly previous_secret_until: Date | null;
}

const columns = 'webhook_id, merchant_id, url, event_types, description, created_at, failing_since, disabled_at, previous_secret_until';

/** The webhooks of merchants. Every call names the merchant, so that nobody is shown or can touch another's. */
@Injectable()
export class WebhookStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Runs `work` in one transaction. */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.outbox.transaction(work);
  }

  /** How many webhooks a merchant has. */
  async count(tx: Tx, merchantId: string): Promise<number> {
    const rows = await tx.rows<{ count: number }>('select count(*)::int as count from webhooks where merchant_id = $1', [merchantId]);
    return rows[0]!.count;
  }

  /** Stores a webhook. */
  async insert(tx: Tx, webhook: NewWebhook): Promise<Webhook> {
    const rows = await tx.rows<WebhookRow>(
      `insert into webhooks (webhook_id, merchant_id, url, event_types, description, secret) values ($1, $2, $3, $4::text[], $5, $6) returning ${columns}`,
      [webhook.webhookId, webhook.merchantId, webhook.url, webhook.eventTypes ?? null, webhook.description ?? null, webhook.wrappedSecret],
    );
    return fromRow(rows[0]!);
  }

  /** A merchant's webhooks, oldest first. */
  async ofMerchant(merchantId: string): Promise<Webhook[]> {
    const rows = await this.dataSource.query<WebhookRow[]>(`select ${columns} from webhooks where merchant_id = $1 order by created_at, webhook_id`, [merchantId]);
    return rows.map(fromRow);
  }

  /** A merchant's webhook; undefined where it has none of that id. */
  async find(merchantId: string, webhookId: string): Promise<Webhook | undefined> {
    const rows = await this.dataSource.query<WebhookRow[]>(`select ${columns} from webhooks where merchant_id = $1 and webhook_id = $2`, [merchantId, webhookId]);
    return rows.map(fromRow)[0];
  }

  /** Removes a merchant's webhook and its secrets; false where it has none of that id. Its deliveries are pruned later. */
  async remove(merchantId: string, webhookId: string): Promise<boolean> {
    return this.outbox.transaction(async (tx) => {
      const rows = await tx.rows('delete from webhooks where merchant_id = $1 and webhook_id = $2 returning webhook_id', [merchantId, webhookId]);
      return rows.length > 0;
    });
  }

  /** Gives a merchant's webhook another secret; the one before it signs for so many seconds more. Undefined where it has none of that id. */
  async replaceSecret(merchantId: string, webhookId: string, wrappedSecret: string, overlapSeconds: number): Promise<Webhook | undefined> {
    return this.outbox.transaction(async (tx) => {
      const rows = await tx.rows<WebhookRow>(
        `update webhooks set previous_secret = secret, previous_secret_until = statement_timestamp() + make_interval(secs => $4), secret = $3
         where merchant_id = $1 and webhook_id = $2 returning ${columns}`,
        [merchantId, webhookId, wrappedSecret, overlapSeconds],
      );
      return rows.map(fromRow)[0];
    });
  }

  /** Forgets previous secrets whose time is over. */
  async forgetPreviousSecrets(): Promise<void> {
    await this.dataSource.query('update webhooks set previous_secret = null, previous_secret_until = null where previous_secret_until < statement_timestamp()');
  }

  /** The secrets of all webhooks of which one is not wrapped under this key. */
  async notWrappedUnder(keyId: string): Promise<WrappedSecrets[]> {
    const rows = await this.dataSource.query<{ webhook_id: string; secret: string; previous_secret: string | null }[]>(
      `select webhook_id, secret, previous_secret from webhooks
       where not starts_with(secret, $1 || '.') or not coalesce(starts_with(previous_secret, $1 || '.'), true) order by webhook_id`,
      [keyId],
    );
    return rows.map((row) => ({ webhookId: row.webhook_id, secret: row.secret, previous: row.previous_secret ?? undefined }));
  }

  /** Replaces wrapped secrets by the same ones under another key, unless they were rotated meanwhile. */
  async rewrap(from: WrappedSecrets, to: WrappedSecrets): Promise<void> {
    await this.dataSource.query(
      `update webhooks set secret = $4, previous_secret = $5
       where webhook_id = $1 and secret = $2 and previous_secret is not distinct from $3`,
      [from.webhookId, from.secret, from.previous ?? null, to.secret, to.previous ?? null],
    );
  }

  /** How many webhooks there are of each state. */
  async states(): Promise<Readonly<Record<'active' | 'failing' | 'disabled', number>>> {
    const rows = await this.dataSource.query<{ disabled: number; failing: number; active: number }[]>(
      `select count(*) filter (where disabled_at is not null)::int as disabled,
         count(*) filter (where disabled_at is null and failing_since is not null)::int as failing,
         count(*) filter (where disabled_at is null and failing_since is null)::int as active from webhooks`,
    );
    return rows[0]!;
  }
}

function fromRow(row: WebhookRow): Webhook {
  return {
    webhookId: row.webhook_id,
    merchantId: row.merchant_id,
    url: row.url,
    eventTypes: row.event_types ?? undefined,
    description: row.description ?? undefined,
    createdAt: row.created_at,
    failingSince: row.failing_since ?? undefined,
    disabledAt: row.disabled_at ?? undefined,
    previousSecretUntil: row.previous_secret_until ?? undefined,
  };
}
