import type { ConnectionOptions } from 'node:tls';
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import { CheckoutError } from './checkout-error.js';
import type { ConnectionState } from './connection-state.js';

/** What the line is opened with, and whom it tells. */
export interface LineOptions {
  /** Holds a password and is never shown. */
  readonly url: string;
  readonly tls: ConnectionOptions | undefined;
  /** The broker takes messages, again or for the first time. */
  up(): void;
  /** The broker does not let this user in. Attempts go on: somebody may let it in yet. */
  refused(error: CheckoutError): void;
}

const RECOVERY = { initialDelay: 200, maxDelay: 10_000, waitForConnect: false };
const CONNECT_TIMEOUT_MS = 10_000;
/** Finds a dead peer in half a minute; the broker's own default takes two. */
const HEARTBEAT_SECONDS = 15;
const CLOSE_TIMEOUT_MS = 5_000;

/** The connection to the broker, which amqplib opens again whenever it is lost. Channels are the publishers' business. */
export class BrokerLine {
  /** The connection while there is one. */
  connection: ChannelModel | undefined;
  /** Why nothing can be sent, where that is so. */
  trouble = 'there is no connection to the broker yet';
  private blocked = false;

  private constructor(
    private readonly recovering: RecoveringChannelModel,
    options: LineOptions,
  ) {
    recovering.on('connect', (connection) => {
      this.connection = connection;
      options.up();
    });
    recovering.on('disconnect', (error) => {
      this.connection = undefined;
      this.blocked = false;
      this.trouble = `the connection to the broker was lost: ${error.message}`;
    });
    recovering.on('connect-failed', (error) => {
      this.trouble = `the broker cannot be reached: ${reasonOf(error)}`;
      const refusal = refusedLogin(error);
      if (refusal) options.refused(refusal);
    });
    recovering.on('blocked', (reason) => {
      this.blocked = true;
      this.trouble = `the broker takes nothing for now: ${reason}`;
    });
    recovering.on('unblocked', () => {
      this.blocked = false;
      options.up();
    });
    // What it says comes again with `disconnect`; an error event that nobody hears ends the process.
    recovering.on('error', () => undefined);
  }

  static async open(options: LineOptions): Promise<BrokerLine> {
    const url = new URL(options.url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
    const clientProperties = { connection_name: 'latchkey checkout' };
    // Without noDelay small frames wait for each other's acknowledgements, up to 44 ms.
    const socket = { noDelay: true, keepAlive: true, timeout: CONNECT_TIMEOUT_MS, clientProperties };
    return new BrokerLine(await connect(url.href, { ...options.tls, ...socket, recovery: RECOVERY }), options);
  }

  get state(): ConnectionState {
    if (!this.connection) return 'down';
    return this.blocked ? 'blocked' : 'up';
  }

  /** Closes the connection and opens no other. A broker that does not answer must not hold up the caller. */
  async close(): Promise<void> {
    this.connection = undefined;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    await Promise.race([this.recovering.close(), patience]);
    clearTimeout(timer);
  }
}

/** amqplib gives refusals during the handshake as text alone, and that of the virtual host without its code. */
function refusedLogin({ message }: Error): CheckoutError | undefined {
  if (message.startsWith('Handshake terminated by server: 403')) return new CheckoutError('not-permitted', 'the broker refused the login');
  if (message.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')) return new CheckoutError('not-permitted', 'the broker refused the virtual host');
  return undefined;
}

/** An error that stands for several, as for all addresses of a host, has no text of its own. */
function reasonOf(error: Error): string {
  if (error.message === '' && error instanceof AggregateError) return (error.errors as Error[]).map(({ message }) => message).join(', ');
  return error.message;
}
