import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type AmqpMethod, MethodFinder } from './method-finder.js';

/** Where a server is at the moment; its port changes when its container is started again. */
export type Address = () => { readonly host: string; readonly port: number };

/** One connection through the proxy. */
interface Way {
  readonly near: Socket;
  readonly far: Socket;
  /** By which number of the proxy's connections. */
  readonly nth: number;
  silent?: boolean;
}

/** Cuts or silences connections at a frame of a method. */
interface Cut {
  readonly from: 'client' | 'server';
  readonly method: AmqpMethod;
  /** Whether the connection stays open, and nothing more of that direction gets through. */
  readonly silently: boolean;
  /** Connections before this one are left alone. */
  readonly fromNth: number;
  /** How much of what begins with that frame is still let through. */
  readonly letBytes: number;
  left: number;
  struck: number;
}

const CLIENT_PREFACE_BYTES = 8;

/** A way to a server that keeps its own port, and that can be hurt as networks are. */
export class TcpProxy {
  private readonly ways = new Set<Way>();
  private isHung = false;
  private isShut = false;
  private opened = 0;
  private cut: Cut | undefined;
  private readonly finders: readonly AmqpMethod[];

  private constructor(
    private readonly server: Server,
    private readonly target: Address,
    finders: readonly AmqpMethod[],
  ) {
    this.finders = finders;
    server.on('connection', (near) => this.carry(near));
  }

  /** Listens on a port of 127.0.0.1. `finders` are the methods at which connections may be cut later. */
  static async open(target: Address, finders: readonly AmqpMethod[] = []): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    const proxy = new TcpProxy(server, target, finders);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resets the connections that are chosen, without a FIN; answers how many. */
  reset(choose: () => boolean = () => true): number {
    const chosen = [...this.ways].filter(choose);
    for (const way of chosen) drop(way);
    return chosen.length;
  }

  /** Lets nothing through any more, and says nothing: connections stay open, new ones are taken. Answers how many hang. */
  hang(): number {
    this.isHung = true;
    for (const { near, far } of this.ways) {
      near.pause();
      far.pause();
    }
    return this.ways.size;
  }

  /** Ends hanging: connections that are chosen to survive go on where they were, the others are reset. */
  release(survives: () => boolean): void {
    this.isHung = false;
    for (const way of [...this.ways]) {
      if (!survives()) drop(way);
      else for (const socket of [way.near, way.far]) socket.resume();
    }
  }

  /** Resets all connections, and every new one at once: the server is away. Answers how many were open. */
  shut(): number {
    this.isShut = true;
    return this.reset();
  }

  /** Takes connections again. */
  reopen(): void {
    this.isShut = false;
  }

  /**
   * On connections that are still to come: lets nothing more of the client through, from so many next frames of a method
   * on. They stay open, and the sender of that frame waits for an answer that never comes.
   */
  swallowFrom(method: AmqpMethod, times: number): void {
    this.cut = { from: 'client', method, silently: true, fromNth: this.opened, letBytes: 0, left: times, struck: 0 };
  }

  /**
   * Resets connections at so many next frames of a method, each after `letBytes` of what begins with it: in the middle of
   * a message that is published, or right before the broker's confirmation of it.
   */
  cutAt(from: Cut['from'], method: AmqpMethod, { letBytes, times }: { readonly letBytes: number; readonly times: number }): void {
    this.cut = { from, method, silently: false, fromNth: 0, letBytes, left: times, struck: 0 };
  }

  /** How many more connections are to be cut. */
  get cutsLeft(): number {
    return this.cut?.left ?? 0;
  }

  /** Cuts no more; answers how many were cut. */
  stopCutting(): number {
    const struck = this.cut?.struck ?? 0;
    this.cut = undefined;
    return struck;
  }

  /** Ends the connections that have fallen silent. */
  resetSilent(): void {
    for (const way of [...this.ways]) if (way.silent) drop(way);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.reset();
    await closed;
  }

  private carry(near: Socket): void {
    if (this.isShut) {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const { host, port } = this.target();
    const far = connect({ host, port, noDelay: true });
    const way: Way = { near, far, nth: this.opened };
    this.opened += 1;
    this.ways.add(way);
    this.forward(way, 'client');
    this.forward(way, 'server');
    for (const socket of [near, far]) socket.on('error', () => drop(way));
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      socket.on('close', () => {
        this.ways.delete(way);
        // One that waits for the closed one to drain would stay open for ever.
        other.destroySoon();
      });
    }
    if (this.isHung) far.pause();
    else near.resume();
  }

  private forward(way: Way, from: Cut['from']): void {
    const [source, sink] = from === 'client' ? [way.near, way.far] : [way.far, way.near];
    const finders = this.finders.map((method) => ({ method, finder: new MethodFinder(method, from === 'client' ? CLIENT_PREFACE_BYTES : 0) }));
    source.on('data', (chunk: Buffer) => {
      if (from === 'client' && way.silent) return;
      const found = finders.map(({ method, finder }) => ({ method, at: finder.feed(chunk)[0] }));
      const { cut } = this;
      const at = cut?.from === from && cut.left > 0 && way.nth >= cut.fromNth ? found.find(({ method }) => method === cut.method)?.at : undefined;
      if (cut && at !== undefined) {
        cut.left -= 1;
        cut.struck += 1;
        if (cut.silently) {
          way.silent = true;
          sink.write(chunk.subarray(0, at));
          return;
        }
        // What was let through has to get there before the connection is gone.
        sink.write(chunk.subarray(0, at + cut.letBytes), () => drop(way));
        source.pause();
        return;
      }
      if (!sink.write(chunk)) {
        source.pause();
        sink.once('drain', () => !this.isHung && source.resume());
      }
    });
    source.on('end', () => sink.end());
  }
}

function drop({ near, far }: Way): void {
  near.resetAndDestroy();
  far.resetAndDestroy();
}
