import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** The AMQP frames by which a broker says that it takes no more for now, and that it does again. */
const blockedFrame = Buffer.from([1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 60, 0, 0xce]);
const unblockedFrame = Buffer.from([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, 0xce]);

interface Pair {
  readonly client: Socket;
  readonly broker: Socket;
  /** What the client called its connection. */
  name: string;
}

/** Stands between a client and the broker, and does to their connections what networks and alarms do. */
export class AmqpProxy {
  private readonly pairs = new Set<Pair>();
  private server: Server | undefined;
  private port = 0;
  private stuck = false;

  constructor(private readonly upstream: string) {}

  /** The broker's address, through here. */
  get url(): string {
    const url = new URL(this.upstream);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Reserves a port without listening there: so far the broker is away. */
  static async away(upstream: string): Promise<AmqpProxy> {
    const proxy = await AmqpProxy.open(upstream);
    await proxy.close();
    return proxy;
  }

  static async open(upstream: string): Promise<AmqpProxy> {
    const proxy = new AmqpProxy(upstream);
    await proxy.listen();
    return proxy;
  }

  async listen(): Promise<void> {
    this.server = createServer((client) => this.connect(client)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as { port: number }).port;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const { client, broker } of this.pairs) for (const socket of [client, broker]) socket.destroy();
  }

  /** Lets nothing more through to the broker, or everything again. Nobody is told. */
  holdUp(stuck: boolean): void {
    this.stuck = stuck;
    for (const { client } of this.pairs) if (stuck) client.pause(); else client.resume();
  }

  /** Keeps to itself whatever the broker says, or lets it through again. Nobody is told. */
  holdAnswers(kept: boolean): void {
    for (const { broker } of this.pairs) if (kept) broker.pause(); else broker.resume();
  }

  /** Tells every connection with this in its name what a broker with a memory alarm tells who publishes. */
  sayBlocked(name: string, blocked: boolean): void {
    for (const pair of this.pairs) if (pair.name.includes(name)) pair.client.write(blocked ? blockedFrame : unblockedFrame);
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.cut();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  private connect(client: Socket): void {
    const { hostname, port } = new URL(this.upstream);
    const pair: Pair = { client, broker: connect(Number(port), hostname), name: '' };
    this.pairs.add(pair);
    for (const [from, to] of [[client, pair.broker], [pair.broker, client]] as const) {
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => this.pairs.delete(pair) && to.destroy());
      from.on('data', (bytes) => {
        if (from === client && pair.name.length < 4096) pair.name += bytes.toString('latin1');
        to.write(bytes);
      });
    }
    if (this.stuck) client.pause();
  }
}
