import type { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { createTestVhost, describeWithRabbit } from '@latchkey/kits';
import { connect } from 'amqplib';
import { onChannel } from '../src/rabbit/declare-topology.js';

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeWithRabbit('a connection that is lost while a channel is being closed', () => {
  // amqplib never settles such a closing. Whoever waited for it waited for ever: a service whose connection was lost at the
  // end of its declarations did not consume or answer again, and said that it was ready.
  it('does not hold up whoever used the channel', async () => {
    const vhost = await createTestVhost();
    const connection = await connect(vhost.amqpUrl);
    connection.on('error', () => undefined);
    const used = onChannel(connection, logger, async () => {
      // After the closing was sent, and before its answer can be read.
      setImmediate(() => (connection.connection as unknown as { stream: Socket }).stream.destroy(new Error('reset')));
      return 'used';
    });
    await expect(used).resolves.toBe('used');
    await vhost.close();
  });
});
