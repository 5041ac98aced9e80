import { once } from 'node:events';
import { connect } from 'node:net';

/** What the preload inside a process has counted, by name. */
export type Counts = Readonly<Record<string, number>>;

/** A lever to pull inside a process, with what it takes. */
export interface Pulled {
  readonly lever: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

type Question =
  | { readonly ask: 'pull'; readonly lever: string; readonly options: Readonly<Record<string, unknown>> }
  | { readonly ask: 'release'; readonly lever: string }
  | { readonly ask: 'counts' | 'memory' };

/** The way to the preload inside one process: a socket on which it takes one question a connection. */
export class Inside {
  constructor(readonly socketPath: string) {}

  /** Pulls a lever; it stays pulled until it is released or the process ends. Rejects where no process listens. */
  async pull({ lever, options = {} }: Pulled): Promise<void> {
    await this.ask({ ask: 'pull', lever, options });
  }

  async release(lever: string): Promise<void> {
    await this.ask({ ask: 'release', lever });
  }

  async counts(): Promise<Counts> {
    return (await this.ask({ ask: 'counts' })) as Counts;
  }

  async memory(): Promise<{ readonly rss: number; readonly heapUsed: number }> {
    return (await this.ask({ ask: 'memory' })) as { rss: number; heapUsed: number };
  }

  private async ask(question: Question): Promise<unknown> {
    const socket = connect(this.socketPath);
    socket.setTimeout(2_000, () => socket.destroy(new Error('the process does not answer')));
    await once(socket, 'connect');
    socket.end(`${JSON.stringify(question)}\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    const { error, answer } = JSON.parse(text || '{"error":"the process ended"}') as { error?: string; answer?: unknown };
    if (error !== undefined) throw new Error(error);
    return answer;
  }
}
