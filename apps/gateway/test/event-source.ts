/** One event as a client read it from the stream. */
export interface ReceivedEvent {
  readonly id: number;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of `GET /v1/events` that reads as the HTML standard says. */
export class EventSourceClient {
  readonly events: ReceivedEvent[] = [];
  comments = 0;
  ended = false;
  private readonly controller = new AbortController();

  private constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  /** Connects; resolves when the headers are there. */
  static async open(url: string, key: string, lastEventId?: number | string): Promise<EventSourceClient> {
    const client = new EventSourceClient(url, key);
    const response = await fetch(`${url}/v1/events`, {
      headers: { authorization: `Bearer ${key}`, ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }) },
      signal: client.controller.signal,
    });
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) throw new Error(`${response.status} ${await response.text()}`);
    void client.read(response.body!);
    return client;
  }

  /** Hangs up. */
  close(): void {
    this.controller.abort();
  }

  /** A field of each event's data, in the order in which they came. */
  all(field: string): unknown[] {
    return this.events.map(({ data }) => data[field]);
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        for (const block of blocks) this.take(block);
      }
    } catch (error) {
      if (!this.controller.signal.aborted) throw error;
    } finally {
      this.ended = true;
    }
  }

  private take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const));
    if (fields.has('')) this.comments += 1;
    if (fields.has('data')) this.events.push({ id: Number(fields.get('id')), event: fields.get('event')!, data: JSON.parse(fields.get('data')!) as ReceivedEvent['data'] });
  }
}
