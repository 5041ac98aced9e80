/** A queue as the management API lists it; counts lag by a second or so (see `TestVhost.depth`). */
export interface ListedQueue {
  name: string;
  type: string;
  durable: boolean;
  arguments: Record<string, unknown>;
  messages?: number;
  consumers?: number;
}

export interface ListedExchange {
  name: string;
  type: string;
  durable: boolean;
  arguments: Record<string, unknown>;
}

export interface ListedBinding {
  source: string;
  destination: string;
  destination_type: 'queue' | 'exchange';
  routing_key: string;
  arguments: Record<string, unknown>;
}

export interface ListedConnection {
  name: string;
  user: string;
  vhost: string;
  client_properties: Record<string, unknown>;
}

/** Regular expressions of what a user may do in the vhost; empty strings allow nothing. */
export interface BrokerPermissions {
  configure: string;
  write: string;
  read: string;
}

/** RabbitMQ's management HTTP API, for one vhost. */
export class RabbitManagement {
  readonly #origin: string;
  readonly #authorization: string;
  readonly #vhost: string;

  /** `amqpUrl` names the administrator whose credentials are used. */
  constructor(managementUrl: string, amqpUrl: string, vhost: string) {
    const { username, password } = new URL(amqpUrl);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#origin = new URL(managementUrl).origin;
    this.#authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.#vhost = encodeURIComponent(vhost);
  }

  queues(): Promise<ListedQueue[]> {
    return this.request('GET', `/api/queues/${this.#vhost}`);
  }

  exchanges(): Promise<ListedExchange[]> {
    return this.request('GET', `/api/exchanges/${this.#vhost}`);
  }

  bindings(): Promise<ListedBinding[]> {
    return this.request('GET', `/api/bindings/${this.#vhost}`);
  }

  connections(): Promise<ListedConnection[]> {
    return this.request('GET', `/api/vhosts/${this.#vhost}/connections`);
  }

  /** Has the broker cut every connection into the vhost (of `user` alone, where given). Returns how many. */
  async closeConnections(user?: string): Promise<number> {
    const connections = (await this.connections()).filter((connection) => !user || connection.user === user);
    let closed = 0;
    for (const { name } of connections) {
      // The list lags behind: one that was there a second ago may be gone.
      closed += await this.request('DELETE', `/api/connections/${encodeURIComponent(name)}`).then(
        () => 1,
        (error: unknown) => {
          if ((error as { status?: unknown }).status === 404) return 0;
          throw error;
        },
      );
    }
    return closed;
  }

  /** Removes a queue, which its consumers hear as `basic.cancel`. */
  async deleteQueue(name: string): Promise<void> {
    await this.request('DELETE', `/api/queues/${this.#vhost}/${encodeURIComponent(name)}`);
  }

  /** Makes or changes a user without tags and sets what it may do in this vhost. */
  async putUser(name: string, password: string, permissions: BrokerPermissions): Promise<void> {
    await this.request('PUT', `/api/users/${encodeURIComponent(name)}`, { password, tags: '' });
    await this.allow(name, permissions);
  }

  async allow(user: string, permissions: BrokerPermissions): Promise<void> {
    await this.request('PUT', `/api/permissions/${this.#vhost}/${encodeURIComponent(user)}`, permissions);
  }

  /** Restricts what routing keys a user may publish to a topic exchange with. */
  async allowTopic(user: string, exchange: string, permissions: { write: string; read: string }): Promise<void> {
    const path = `/api/topic-permissions/${this.#vhost}/${encodeURIComponent(user)}`;
    await this.request('PUT', path, { exchange, ...permissions });
  }

  /** For what has no method here: any call of the API, with a JSON body and answer. Rejects on a status of 400 and up. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const send = () =>
      fetch(this.#origin + path, {
        method,
        headers: { authorization: this.#authorization, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    // The broker may close a kept connection the moment it is used again. Every call here may be repeated.
    const response = await send().catch((error: unknown) => {
      if (!isClosedConnection(error)) throw error;
      return send();
    });
    const text = await response.text();
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { status: response.status });
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

function isClosedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'UND_ERR_SOCKET' || cause?.code === 'ECONNRESET';
}
