import { Problem, PurchaseRejected, requests, type RequestOutput, TokenIssued } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { FeedTail } from '../feed/feed-tail.js';
import { Wakeup } from './wakeup.js';

type ContentTokenView = RequestOutput<typeof requests.getPurchaseToken>;

/** Whose token is waited for, for how long, and when nobody waits for it any more. */
export interface TokenWait {
  readonly merchantId: string;
  readonly purchaseId: string;
  readonly waitMs: number;
  readonly hungUp: AbortSignal;
}

/** The feed tells when it is worth asking again; asking now and then covers an event that is late. */
const ASK_AGAIN_MS = 2_000;
const endings: ReadonlySet<string> = new Set([TokenIssued.type, PurchaseRejected.type]);
/** A purchase that was published a moment ago may not be known yet: that is worth waiting for too. */
const notYet: ReadonlySet<string> = new Set(['token-not-issued', 'purchase-unknown']);

/** Collects tokens of purchases, waiting for them where the caller wants to. */
@Injectable()
export class PurchaseTokens implements BeforeApplicationShutdown {
  private readonly waiting = new Set<Wakeup>();
  private stopping = false;

  constructor(
    private readonly requests: Requests,
    private readonly tail: FeedTail,
  ) {}

  /** The token; throws the last refusal when the time is over, the caller hung up, or the gateway stops. */
  async collect(wait: TokenWait): Promise<ContentTokenView> {
    if (wait.waitMs === 0) return this.ask(wait);
    const deadlineMs = performance.now() + wait.waitMs;
    const wakeup = new Wakeup();
    const follower = this.tail.follow(wait.merchantId, (event) => {
      if (event.purchaseId === wait.purchaseId && endings.has(event.type)) wakeup.wake();
    });
    const onHangUp = (): void => wakeup.wake();
    wait.hungUp.addEventListener('abort', onHangUp);
    this.waiting.add(wakeup);
    try {
      for (;;) {
        const refusal = await this.ask(wait).catch(refusalThatMayPass);
        if (!(refusal instanceof Problem)) return refusal;
        const leftMs = deadlineMs - performance.now();
        if (leftMs <= 0 || wait.hungUp.aborted || this.stopping) throw refusal;
        await wakeup.sleep(Math.min(leftMs, ASK_AGAIN_MS));
      }
    } finally {
      this.waiting.delete(wakeup);
      wait.hungUp.removeEventListener('abort', onHangUp);
      follower.stop();
    }
  }

  /** Has everybody who waits ask once more and be answered, so that a stop does not take half a minute. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
    for (const wakeup of this.waiting) wakeup.wake();
  }

  private async ask({ merchantId, purchaseId }: TokenWait): Promise<ContentTokenView> {
    return this.requests.ask(requests.getPurchaseToken, { merchantId, purchaseId });
  }
}

function refusalThatMayPass(error: unknown): Problem {
  if (error instanceof Problem && notYet.has(error.code)) return error;
  throw error;
}
