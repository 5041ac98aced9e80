// Shortens the waits of the retry ladder, so that what takes hours in operation ends within a run. The queues' names
// stay, and all replicas agree, or the broker would refuse to declare them. And counts what climbs.
import { onPublish } from './amqp.mjs';
import { count } from './levers.mjs';

const { retryLadder } = await import('@latchkey/messaging');

const DELAYS_MS = [500, 1_500, 4_000, 8_000];
if (process.env.FAULTS_LADDER !== 'real') {
  for (const [index, rung] of retryLadder.entries()) rung.delayMs = DELAYS_MS[index];
}

// A message on a rung is an attempt that was counted. How long the rungs are does not matter to that.
const rungs = new Set(retryLadder.map(({ name }) => name));
onPublish.push((_channel, { exchange, routingKey, options }) => {
  if (!exchange.endsWith('.retry') || !rungs.has(routingKey)) return;
  count('climbed');
  count(`climbed ${options?.headers?.cloudEvents_type ?? 'unknown'}`);
});
