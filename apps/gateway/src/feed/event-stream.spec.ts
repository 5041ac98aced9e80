import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { EventStream } from './event-stream.js';
import type { FeedEvent } from './feed-store.js';

const event = (sequence: number): FeedEvent => ({ sequence, merchantId: 'default', type: 't', data: '{}', purchaseId: undefined });

/** A client that takes what it is sent when it is told to, and a feed that grows. */
class Client {
  readonly feed: FeedEvent[] = [];
  readonly failures: unknown[] = [];
  pages = 0;
  failing = false;
  whilePageIsOnItsWay: (() => void) | undefined;
  private text = '';
  private held: (() => void)[] | undefined;
  readonly output = new Writable({
    highWaterMark: 10,
    write: (chunk: Buffer, _encoding, taken) => {
      this.text += chunk.toString();
      if (this.held) this.held.push(taken);
      else taken();
    },
  });

  stream(after = 0, stalledMs = 60_000): EventStream {
    return new EventStream({ output: this.output, after, page: (from) => this.page(from), stalledMs, onFailure: (error) => this.failures.push(error) });
  }

  get ids(): number[] {
    return [...this.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  }

  get beats(): number {
    return [...this.text.matchAll(/^: $/gm)].length;
  }

  /** Takes nothing more from now on. */
  stall(): void {
    this.held = [];
  }

  /** Takes all that was sent, and what comes. */
  resume(): void {
    const held = this.held!;
    this.held = undefined;
    for (const taken of held) taken();
  }

  private async page(after: number): Promise<FeedEvent[]> {
    this.pages += 1;
    const events = this.feed.filter(({ sequence }) => sequence > after).slice(0, 2);
    this.whilePageIsOnItsWay?.();
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failing) throw new Error('away');
    return events;
  }
}
const settled = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a stream', () => {
  it('replays what the client has not had, page by page', async () => {
    const client = new Client();
    client.feed.push(...[1, 2, 3, 4, 5].map(event));
    await client.stream(2).catchUp();
    expect(client.ids).toEqual([3, 4, 5]);
  });

  it('writes live events as they come, each once', async () => {
    const client = new Client();
    const stream = client.stream(3);
    await stream.catchUp();
    const { pages } = client;
    for (const sequence of [2, 3, 4, 4, 5]) stream.offer(event(sequence));
    expect(client.ids).toEqual([4, 5]);
    expect(client.pages).toBe(pages);
  });

  it('loses nothing that comes while it replays', async () => {
    const client = new Client();
    client.feed.push(event(1));
    const stream = client.stream();
    const replay = stream.catchUp();
    // Behind the page that is being read, and before the one after it.
    client.feed.push(event(2), event(3));
    stream.offer(event(2));
    stream.offer(event(3));
    await replay;
    expect(client.ids).toEqual([1, 2, 3]);
  });

  it('looks again when an event was offered while the last page was on its way', async () => {
    const client = new Client();
    const stream = client.stream();
    client.whilePageIsOnItsWay = () => {
      client.whilePageIsOnItsWay = undefined;
      client.feed.push(event(1));
      stream.offer(event(1));
    };
    await stream.catchUp();
    expect(client.ids).toEqual([1]);
  });

  it('keeps nothing for a client that does not take it, and reads on when it does', async () => {
    const client = new Client();
    const stream = client.stream();
    await stream.catchUp();
    client.stall();
    for (let sequence = 1; sequence <= 50; sequence += 1) {
      client.feed.push(event(sequence));
      stream.offer(event(sequence));
    }
    await settled();
    expect(client.ids).toEqual([1]);
    expect(client.output.writableLength).toBeLessThan(100);
    client.resume();
    await settled();
    expect(client.ids).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    stream.offer(event(51));
    expect(client.ids.at(-1)).toBe(51);
  });

  it('drops a client that takes nothing for too long', async () => {
    const client = new Client();
    const stream = client.stream(0, 10);
    await stream.catchUp();
    client.stall();
    stream.offer(event(1));
    stream.offer(event(2));
    await settled(60);
    expect(client.output.destroyed).toBe(true);
    stream.offer(event(3));
    stream.beat();
    stream.end();
    expect(client.ids).toEqual([1]);
  });

  it('ends where the feed cannot be read, so that the client comes back', async () => {
    const client = new Client();
    client.failing = true;
    await client.stream().catchUp();
    await settled();
    expect(client.output.writableFinished).toBe(true);
    expect(client.failures).toEqual([new Error('away')]);
  });

  it('beats, but not to a client that takes nothing', async () => {
    const client = new Client();
    const stream = client.stream();
    await stream.catchUp();
    stream.beat();
    expect(client.beats).toBe(1);
    client.stall();
    stream.offer(event(1));
    for (let n = 0; n < 3; n += 1) stream.beat();
    client.resume();
    await settled();
    expect(client.beats).toBe(1);
  });

  it('writes nothing after its end', async () => {
    const client = new Client();
    const stream = client.stream();
    await stream.catchUp();
    stream.end();
    stream.offer(event(1));
    stream.beat();
    await settled();
    expect([client.ids, client.beats, client.output.writableFinished]).toEqual([[], 0, true]);
  });
});
