/** An acknowledgement to send: of one delivery, or of all up to it. */
export interface Acknowledgement {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

/**
 * Which deliveries of a channel are not settled yet, so that those settled together are acknowledged with one frame
 * where none before them is left out. One frame too far would lose a message that is still being handled.
 */
export class AckWindow {
  /** In the order of delivery, which is that of their tags. */
  private readonly unsettled = new Set<number>();

  /** How many deliveries are not settled. */
  get size(): number {
    return this.unsettled.size;
  }

  /** Notes a delivery. */
  delivered(deliveryTag: number): void {
    this.unsettled.add(deliveryTag);
  }

  /** Notes that these deliveries are settled, and answers what to send: each of them, and nothing else. */
  settle(deliveryTags: readonly number[]): Acknowledgement[] {
    const settled = new Set(deliveryTags);
    const prefix: number[] = [];
    for (const deliveryTag of this.unsettled) {
      if (!settled.delete(deliveryTag)) break;
      prefix.push(deliveryTag);
    }
    for (const deliveryTag of deliveryTags) this.unsettled.delete(deliveryTag);
    const single = [...settled].map((deliveryTag) => ({ deliveryTag, multiple: false }));
    const last = prefix.at(-1);
    return last === undefined ? single : [{ deliveryTag: last, multiple: prefix.length > 1 }, ...single];
  }
}
