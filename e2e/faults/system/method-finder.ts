/** Type, channel and size: what every AMQP 0-9-1 frame begins with; a method frame goes on with class and method. */
const FRAME_HEADER_BYTES = 7;
const METHOD_ID_BYTES = 4;
const METHOD_FRAME = 1;
const FRAME_END_BYTES = 1;

/** An AMQP method, by the numbers that the protocol gives it. */
export interface AmqpMethod {
  readonly classId: number;
  readonly methodId: number;
}

export const basicPublish: AmqpMethod = { classId: 60, methodId: 40 };
export const basicAck: AmqpMethod = { classId: 60, methodId: 80 };
export const queueDeclare: AmqpMethod = { classId: 50, methodId: 10 };

/**
 * Finds frames of one method in one direction of an AMQP connection, however the bytes are cut into chunks. It has to
 * see the connection from its first byte, or it would take payload for frames.
 */
export class MethodFinder {
  private skip: number;
  private head = Buffer.alloc(0);

  /** `prefaceBytes` come before the first frame: 8 from a client (`AMQP` and the version), none from a broker. */
  constructor(
    private readonly method: AmqpMethod,
    prefaceBytes: number,
  ) {
    this.skip = prefaceBytes;
  }

  /** Where in this chunk frames of the method begin; 0 for one whose first bytes came with the chunk before. */
  feed(chunk: Buffer): number[] {
    const found: number[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.skip > 0) {
        const skipped = Math.min(this.skip, chunk.length - at);
        this.skip -= skipped;
        at += skipped;
        continue;
      }
      const taken = chunk.subarray(at, at + FRAME_HEADER_BYTES + METHOD_ID_BYTES - this.head.length);
      const startsAt = Math.max(0, at - this.head.length);
      this.head = Buffer.concat([this.head, taken]);
      at += taken.length;
      if (this.head.length < FRAME_HEADER_BYTES + METHOD_ID_BYTES && !this.isShort()) continue;
      if (this.isMethod()) found.push(startsAt);
      // Negative for a frame shorter than what was looked at (a heartbeat): the rest belongs to the next one.
      const rest = FRAME_HEADER_BYTES + this.head.readUInt32BE(3) + FRAME_END_BYTES - this.head.length;
      this.head = Buffer.alloc(0);
      if (rest < 0) at += rest;
      else this.skip = rest;
    }
    return found;
  }

  /** A heartbeat ends before a method's numbers would. */
  private isShort(): boolean {
    return this.head.length >= FRAME_HEADER_BYTES + FRAME_END_BYTES && FRAME_HEADER_BYTES + this.head.readUInt32BE(3) + FRAME_END_BYTES <= this.head.length;
  }

  private isMethod(): boolean {
    return (
      this.head.length === FRAME_HEADER_BYTES + METHOD_ID_BYTES &&
      this.head[0] === METHOD_FRAME &&
      this.head.readUInt16BE(FRAME_HEADER_BYTES) === this.method.classId &&
      this.head.readUInt16BE(FRAME_HEADER_BYTES + 2) === this.method.methodId
    );
  }
}
