import type { CheckoutError } from './checkout-error.js';
import type { PublishAnswer, PublishOutcome } from './publish-answer.js';
import type { PurchaseEvent } from './purchase-event.js';

/** An event between its publication and the answer. */
export class Publication {
  readonly answer: Promise<PublishAnswer>;
  /** Whether it may have reached the broker. */
  sent = false;
  /** Whether the broker gave it back; it confirms it nevertheless, afterwards. */
  returned = false;
  private readonly timer: NodeJS.Timeout;
  private resolve!: (answer: PublishAnswer) => void;
  private reject!: (error: CheckoutError) => void;

  constructor(
    readonly event: PurchaseEvent,
    timeoutMs: number,
    private readonly whyNotSent: () => string,
  ) {
    this.answer = new Promise((resolve, reject) => ([this.resolve, this.reject] = [resolve, reject]));
    this.timer = setTimeout(() => (this.sent ? this.settle('unknown', 'the broker did not confirm it in time') : this.giveUp()), timeoutMs);
  }

  /** Answers; the first answer counts. */
  settle(outcome: PublishOutcome, detail: string): void {
    clearTimeout(this.timer);
    this.resolve({ outcome, id: this.event.id, detail });
  }

  /** Answers that it was not sent, and why. */
  giveUp(): void {
    this.settle('not-sent', this.whyNotSent());
  }

  refuse(error: CheckoutError): void {
    clearTimeout(this.timer);
    this.reject(error);
  }
}
