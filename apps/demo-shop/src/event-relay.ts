import type { Customer } from './customer-book.js';
import type { ShopEvent } from './page/shop-api.js';

/** What of an event a browser may see. Never `cookie`: whoever knows it could ask the shop's Latchkey about its device. */
const SHOWN = ['deviceId', 'contentId', 'purchaseId', 'tokenId', 'code', 'reason'] as const;

/** One event of a stream in the HTML standard's format (§9.2). */
export interface StreamedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads the blocks of an event stream; a comment comes as undefined. Latchkey writes `\n` and one `data` line an event. */
export async function* readEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedEvent | undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) yield readBlock(block);
  }
}

function readBlock(block: string): StreamedEvent | undefined {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]));
  const [id, type, data] = [fields.get('id'), fields.get('event'), fields.get('data')];
  if (!id || !type || !data) return undefined;
  return { id, type, data: JSON.parse(data) as StreamedEvent['data'] };
}

/** Whether an event is about this customer: the merchant's stream tells of all of them. */
export function isOf({ accountId, cookies, tickets }: Customer, { data }: StreamedEvent): boolean {
  return data['accountId'] === accountId || cookies.some((cookie) => cookie === data['cookie']) || tickets.some(({ purchaseId }) => purchaseId === data['purchaseId']);
}

/** The event as the page may have it, in the same format. */
export function shownEvent({ id, type, data }: StreamedEvent): string {
  const shown = Object.fromEntries(SHOWN.filter((name) => typeof data[name] === 'string').map((name) => [name, data[name]]));
  return `id: ${id}\ndata: ${JSON.stringify({ type, ...shown } satisfies ShopEvent)}\n\n`;
}
