// Loaded into every service process of a fault run before the service itself: levers that the suite pulls from outside,
// over a socket that takes one question a connection.
import '../../../tools/run-ts.mjs';
import { createServer } from 'node:net';
import { counts, pull, release } from './levers.mjs';
import './ladder.mjs';
import './redeliveries.mjs';
import './failpoints.mjs';
import './disturbances.mjs';
import './sabotage.mjs';

for (const { lever, options = {} } of JSON.parse(process.env.FAULTS_PULLED ?? '[]')) pull(lever, options);

function answerTo(question) {
  if (question.ask === 'pull') return pull(question.lever, question.options);
  if (question.ask === 'release') return release(question.lever);
  if (question.ask === 'counts') return counts;
  if (question.ask === 'memory') return process.memoryUsage();
  throw new Error(`cannot answer ${question.ask}`);
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => (text += chunk));
  socket.on('end', () => {
    try {
      socket.end(JSON.stringify({ answer: answerTo(JSON.parse(text)) ?? null }));
    } catch (error) {
      socket.end(JSON.stringify({ error: error.message }));
    }
  });
});
server.listen(process.env.FAULTS_SOCKET);
server.unref();
