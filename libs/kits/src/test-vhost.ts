import { connect } from 'amqplib';
import { RabbitManagement } from './rabbit-management.js';
import type { BrokerPermissions } from './rabbit-management.js';
import { requiredTestVariable } from './test-environment.js';

const EVERYTHING: BrokerPermissions = { configure: '.*', write: '.*', read: '.*' };

/** A virtual host of one test file: nothing that happens in it is seen by other files. */
export interface TestVhost {
  name: string;
  /** An administrator's address of this vhost. */
  amqpUrl: string;
  management: RabbitManagement;
  /** Makes a user of this vhost, with every right unless told, and returns its address. Its name is made unique. */
  createUser(name: string, permissions?: BrokerPermissions): Promise<{ username: string; amqpUrl: string }>;
  /** Messages that are ready and consumers of a queue, exact at this moment. Rejects where there is no such queue. */
  depth(queue: string): Promise<{ messages: number; consumers: number }>;
  /** Removes the vhost with everything in it, and the users made here. */
  close(): Promise<void>;
}

/** Makes a fresh virtual host on the test broker. */
export async function createTestVhost(): Promise<TestVhost> {
  const adminUrl = requiredTestVariable('amqpUrl');
  const name = `test-${crypto.randomUUID().slice(0, 13)}`;
  const management = new RabbitManagement(requiredTestVariable('managementUrl'), adminUrl, name);
  await management.request('PUT', `/api/vhosts/${name}`, {});
  await management.allow(decodeURIComponent(new URL(adminUrl).username), EVERYTHING);
  const amqpUrl = addressOf(adminUrl, name);
  const users: string[] = [];
  return {
    name,
    amqpUrl,
    management,
    async createUser(wanted, permissions = EVERYTHING) {
      const username = `${wanted}-${name}`;
      const password = crypto.randomUUID();
      users.push(username);
      await management.putUser(username, password, permissions);
      return { username, amqpUrl: addressOf(adminUrl, name, username, password) };
    },
    async depth(queue) {
      // A connection for each call: a test that cuts every connection into the vhost would cut a kept one too.
      const connection = await connect(amqpUrl);
      try {
        const channel = await connection.createChannel();
        // A passive declaration of a missing queue closes its channel with an error that has to be heard.
        channel.on('error', () => undefined);
        const { messageCount, consumerCount } = await channel.checkQueue(queue);
        return { messages: messageCount, consumers: consumerCount };
      } finally {
        await connection.close();
      }
    },
    async close() {
      await management.request('DELETE', `/api/vhosts/${name}`);
      for (const user of users) await management.request('DELETE', `/api/users/${user}`);
    },
  };
}

function addressOf(amqpUrl: string, vhost: string, username?: string, password?: string): string {
  const url = new URL(amqpUrl);
  url.pathname = `/${vhost}`;
  if (username) url.username = username;
  if (password) url.password = password;
  return url.href;
}
