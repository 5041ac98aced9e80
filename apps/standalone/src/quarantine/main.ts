import { type Broker, connectRabbit, openInProcessBroker } from '@latchkey/messaging';
import { createLogger } from '@latchkey/service-defaults';
import { connectionNote } from '../connection-note.js';
import { carryOut, readCommand, usage } from './quarantine-command.js';

/** `npm run quarantine -- list|redrive`: answers in JSON. */
async function open(): Promise<Broker> {
  const logger = createLogger('quarantine', 'silent');
  const url = process.env['AMQP_URL'];
  if (url) return connectRabbit({ url, clientName: 'latchkey-quarantine', logger });
  return openInProcessBroker({ databaseUrl: connectionNote(process.env).busDatabaseUrl, logger });
}

const command = readCommand(process.argv.slice(2));
if (command === undefined) {
  process.stderr.write(usage);
  process.exit(64);
}
try {
  const broker = await open();
  const answer = await carryOut(command, broker).finally(() => broker.close());
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
} catch (error) {
  process.stderr.write(`quarantine: ${(error as Error).message}\n`);
  process.exit(1);
}
