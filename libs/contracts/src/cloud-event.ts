import { z } from 'zod';

/** The largest message that Latchkey takes from the broker, in bytes of its body. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

const attribute = z.string().min(1).max(256);

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
