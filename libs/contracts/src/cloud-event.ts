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

/** A CloudEvents 1.0 event in memory; (`source`, `id`) names it for ever. */
export interface CloudEvent<Data = unknown> extends z.infer<typeof cloudEventAttributes> {
  readonly data: Data;
}
