import {
  binaryModeHeaders,
  cloudEventAttributes,
  type EventContract,
  type EventData,
  PurchaseCompleted,
  PurchaseRefunded,
  vocabulary,
} from '@latchkey/contracts';
import { CheckoutError, type CheckoutProblem } from './checkout-error.js';
import type { CompletedPurchase, RefundedPurchase } from './purchases.js';

/** Where events come from: whose they are, and what the checkout calls itself. */
export interface Origin {
  readonly merchantId: string;
  readonly source: string;
}

/** An event that may be sent. */
export interface PurchaseEvent {
  readonly id: string;
  /** Equal for what Latchkey holds to be the same: kids in any order, and whenever it is said to have happened. */
  readonly digest: string;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

// Services ignore a member that they do not know, as that of a later version. Here it is a slip of the pen: a `deviceID`
// that nobody reads would sell to any device what was meant for one.
const completedPurchase = PurchaseCompleted.schema
  .omit({ merchantId: true, completedAt: true })
  .extend({ rights: vocabulary.rights, completedAt: vocabulary.timestamp.optional() })
  .strict();
const refundedPurchase = PurchaseRefunded.schema
  .omit({ merchantId: true, refundedAt: true })
  .extend({ refundedAt: vocabulary.timestamp.optional() })
  .strict();

/** AMQP's short strings, of which `message_id` is one, end here. */
const SHORT_STRING_BYTES_MAX = 255;

/** The event of a purchase, under the id given or one of its own. Rejects with `invalid-event`, and lists everything that is wrong. */
export async function completedEvent(origin: Origin, purchase: CompletedPurchase, id: string | undefined, now: Date): Promise<PurchaseEvent> {
  const { completedAt = now.toISOString(), ...terms } = parsed(completedPurchase, purchase, 'the purchase', id);
  const data: EventData<typeof PurchaseCompleted> = { merchantId: origin.merchantId, ...terms, completedAt };
  return eventOf(PurchaseCompleted, origin, { ...terms, kids: [...terms.kids].sort() }, data, id, now);
}

/** The event of a refund, as `completedEvent`. */
export async function refundedEvent(origin: Origin, refund: RefundedPurchase, id: string | undefined, now: Date): Promise<PurchaseEvent> {
  const { refundedAt = now.toISOString(), ...terms } = parsed(refundedPurchase, refund, 'the refund', id);
  const data: EventData<typeof PurchaseRefunded> = { merchantId: origin.merchantId, ...terms, refundedAt };
  return eventOf(PurchaseRefunded, origin, terms, data, id, now);
}

async function eventOf(
  { type }: EventContract,
  { merchantId, source }: Origin,
  same: Readonly<Record<string, unknown>> & { readonly purchaseId: string },
  data: object,
  givenId: string | undefined,
  now: Date,
): Promise<PurchaseEvent> {
  const digest = await sha256(JSON.stringify([type, merchantId, same]));
  // By its content, so that a repeat has the same id, even of another process, and other content never has.
  const id = givenId ?? `${same.purchaseId}:${digest}`;
  const headers = binaryModeHeaders({ specversion: '1.0', id, source, type, time: now.toISOString() });
  return { id, digest, type, headers, body: Buffer.from(JSON.stringify(data)) };
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');
}

/** The part of a schema that is used here. */
interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function parsed<T>(schema: Schema<T>, value: unknown, what: string, id: string | undefined): T {
  const result = schema.safeParse(value);
  const idProblems = id === undefined ? [] : attributeProblems('id', id);
  if (result.success && idProblems.length === 0) return result.data;
  const problems = result.success ? [] : result.error.issues.map(problemOf);
  throw new CheckoutError('invalid-event', `${what} cannot be published`, [...problems, ...idProblems]);
}

/** What is wrong with an event's id or source, as CloudEvents and AMQP have it. */
export function attributeProblems(name: 'id' | 'source', value: unknown): CheckoutProblem[] {
  if (!cloudEventAttributes.shape[name].safeParse(value).success) {
    return [{ path: name, message: 'must be 1 to 256 characters without control characters' }];
  }
  const tooLong = Buffer.byteLength(value as string) > SHORT_STRING_BYTES_MAX;
  return tooLong ? [{ path: name, message: `must be at most ${SHORT_STRING_BYTES_MAX} bytes in UTF-8` }] : [];
}

function problemOf({ path, message }: Issue): CheckoutProblem {
  return { path: path.map(String).join('.') || '(all of it)', message };
}
