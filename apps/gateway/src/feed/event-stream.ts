import type { Writable } from 'node:stream';
import type { FeedEvent } from './feed-store.js';
import { heartbeat, serverSentEvent } from './server-sent-event.js';

/** What a stream is made of. */
export interface EventStreamParts {
  readonly output: Writable;
  /** The number after which the stream begins. */
  readonly after: number;
  /** The merchant's events after a number, in order, at most a page; an empty page is the end of the feed. */
  readonly page: (after: number) => Promise<readonly FeedEvent[]>;
  /** How long a client may take nothing before it is dropped, in milliseconds. */
  readonly stalledMs: number;
  /** Told of what ended the stream early. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * One client's stream. It is given live events by `offer`, and writes them as they come while the client keeps up. While
 * it does not, nothing is kept for it: the stream notes that it fell behind, waits until the client has taken what it was
 * sent, and reads on from the database. So a thousand slow clients cost no memory, and none misses an event.
 */
export class EventStream {
  private sequence: number;
  private behind = false;
  private busy = false;
  private closed = false;

  constructor(private readonly parts: EventStreamParts) {
    this.sequence = parts.after;
    parts.output.once('close', () => (this.closed = true));
  }

  /** Takes a live event: writes it, or leaves it to be read later. */
  offer(event: FeedEvent): void {
    if (this.closed || event.sequence <= this.sequence) return;
    if (this.busy) this.behind = true;
    else if (!this.write([event])) void this.catchUp();
  }

  /** Writes all that the client has not had. Never rejects: where it cannot go on the stream ends, and the client comes back. */
  async catchUp(): Promise<void> {
    this.busy = true;
    try {
      do {
        this.behind = false;
        await this.drained();
        for (let events = await this.parts.page(this.sequence); events.length > 0 && !this.closed; events = await this.parts.page(this.sequence)) {
          if (!this.write(events)) await this.drained();
        }
      } while (this.behind && !this.closed);
    } catch (error) {
      this.parts.onFailure(error);
      this.end();
    }
    this.busy = false;
  }

  /** Writes a comment, unless the client has not taken what it was sent. */
  beat(): void {
    if (!this.closed && !this.parts.output.writableNeedDrain) this.parts.output.write(heartbeat);
  }

  /** Ends the stream properly; the client may come back with its last id. */
  end(): void {
    if (this.closed) return;
    this.closed = true;
    this.parts.output.end();
  }

  private write(events: readonly FeedEvent[]): boolean {
    if (this.closed) return true;
    this.sequence = events.at(-1)!.sequence;
    return this.parts.output.write(events.map(serverSentEvent).join(''));
  }

  private async drained(): Promise<void> {
    const { output, stalledMs } = this.parts;
    if (this.closed || !output.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => output.destroy(), stalledMs);
      const settle = (): void => {
        clearTimeout(timer);
        output.off('drain', settle).off('close', settle);
        resolve();
      };
      output.once('drain', settle).once('close', settle);
    });
  }
}
