import { AsyncLocalStorage } from 'node:async_hooks';

/** A statement that a participant wants to send, or has sent. */
export interface Statement {
  readonly sql: string;
  /** The backend that runs it. */
  readonly pid: number;
}

interface PendingStatement {
  readonly statement: Statement;
  readonly release: () => void;
}

const current = new AsyncLocalStorage<Participant>();

/** The participant on whose behalf this code runs; undefined for everything that no schedule steers. */
export function currentParticipant(): Participant | undefined {
  const participant = current.getStore();
  return participant?.ended ? undefined : participant;
}

/** One of the transactions of a schedule: its statements wait until the scheduler releases them. */
export class Participant {
  private readonly pending: PendingStatement[] = [];
  private readonly sent = new Set<Statement>();
  private outcome: PromiseSettledResult<unknown> | undefined;

  constructor(readonly name: string) {}

  get ended(): boolean {
    return this.outcome !== undefined;
  }

  /** How its work ended; read after it has. */
  get result(): PromiseSettledResult<unknown> {
    return this.outcome!;
  }

  /** The statement that would be released next. */
  get next(): Statement | undefined {
    return this.sent.size === 0 ? this.pending[0]?.statement : undefined;
  }

  /** Statements that were sent and not answered yet. */
  get executing(): readonly Statement[] {
    return [...this.sent];
  }

  /** Starts the work; every statement that it causes, directly or not, belongs to this participant. */
  start(work: () => Promise<unknown>): void {
    const settled = (outcome: PromiseSettledResult<unknown>): void => {
      this.outcome = outcome;
      // Statements of unawaited work (a woken relay) must not wait for a schedule that is over.
      for (const { release } of this.pending.splice(0)) release();
    };
    current.run(this, () => {
      void Promise.resolve()
        .then(work)
        .then(
          (value) => settled({ status: 'fulfilled', value }),
          (reason: unknown) => settled({ status: 'rejected', reason }),
        );
    });
  }

  /** Waits until the scheduler releases the statement; the caller then sends it and calls what this resolves to. */
  async arrive(statement: Statement): Promise<() => unknown> {
    await new Promise<void>((release) => {
      this.pending.push({ statement, release });
    });
    return () => this.sent.delete(statement);
  }

  /** Lets the next statement through. */
  release(): Statement {
    const { release, statement } = this.pending.shift()!;
    this.sent.add(statement);
    release();
    return statement;
  }
}
