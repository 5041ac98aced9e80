import { z } from 'zod';

/** The largest message that Latchkey takes from the broker, in bytes of its body. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** No control characters nor halves of characters: CloudEvents forbids them (§3.1.1), and databases refuse them. */
const attribute = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,256}$/u);

/**
 * The CloudEvents 1.0 context attributes that Latchkey reads. `correlationid` is the correlation extension: it follows
 * one customer's act through every service. Other extensions are ignored.
 */
export const cloudEventAttributes = z.object({
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: attribute,
  time: z.iso.datetime({ offset: true }).optional(),
  correlationid: attribute.optional(),
});

/**
 * The context attributes as headers of binary mode, with the prefix `cloudEvents_` (CloudEvents AMQP binding §3.1; the
 * underscore because `:` is not allowed in header names of JMS clients). What is no text is left out.
 */
export function binaryModeHeaders(attributes: object): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) if (typeof value === 'string') headers[`cloudEvents_${name}`] = value;
  return headers;
}

/** A CloudEvents 1.0 event in memory; (`source`, `id`) names it for ever. */
export interface CloudEvent<Data = unknown> extends z.infer<typeof cloudEventAttributes> {
  readonly data: Data;
}
