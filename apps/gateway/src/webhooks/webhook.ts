import type { WebhookView } from '@latchkey/contracts';

/** A webhook as it lies in the database, without its secrets. */
export interface Webhook {
  readonly webhookId: string;
  readonly merchantId: string;
  readonly url: string;
  /** What it is told about; undefined for everything. */
  readonly eventTypes: readonly string[] | undefined;
  readonly description: string | undefined;
  readonly createdAt: Date;
  /** Since when no attempt was taken; undefined where the last one was. */
  readonly failingSince: Date | undefined;
  /** Since when its receiver wants nothing more. */
  readonly disabledAt: Date | undefined;
  /** Until when its previous secret signs beside its own. */
  readonly previousSecretUntil: Date | undefined;
}

/** The webhook as the API shows it at this time. */
export function viewOf(webhook: Webhook, nowMs: number): WebhookView {
  const { webhookId, url, eventTypes, description, failingSince, disabledAt, previousSecretUntil } = webhook;
  return {
    webhookId,
    url,
    ...(eventTypes && { eventTypes: [...eventTypes] }),
    ...(description !== undefined && { description }),
    state: disabledAt ? 'disabled' : failingSince ? 'failing' : 'active',
    ...(failingSince && { failingSince: failingSince.toISOString() }),
    createdAt: webhook.createdAt.toISOString(),
    ...(previousSecretUntil && previousSecretUntil.getTime() > nowMs && { previousSecretUntil: previousSecretUntil.toISOString() }),
  };
}
