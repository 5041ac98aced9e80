import { Checkout, type CheckoutMessage, type PublishOutcome } from '@latchkey/kits';
import { within } from './within.js';

/** How long a checkout waits for its confirm. What was not confirmed by then may still arrive. */
const CONFIRM_TIMEOUT_MS = 6_000;

/** A checkout that connects anew whenever something was not confirmed, as a merchant's would. */
export class CheckoutLine {
  #connecting: Promise<Checkout> | undefined;

  constructor(private readonly amqpUrl: string) {}

  /** Rejects where nobody knows whether the broker has the message. */
  async publish(message: CheckoutMessage): Promise<PublishOutcome> {
    const connecting = (this.#connecting ??= within(CONFIRM_TIMEOUT_MS, Checkout.connect(this.amqpUrl)));
    try {
      const checkout = await connecting;
      return await within(CONFIRM_TIMEOUT_MS, checkout.publish(message));
    } catch (error) {
      // Others may have connected anew already.
      if (this.#connecting === connecting) this.#connecting = undefined;
      void connecting.then((checkout) => checkout.close()).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    await within(CONFIRM_TIMEOUT_MS, connecting?.then((checkout) => checkout.close()) ?? Promise.resolve()).catch(() => undefined);
  }
}
