// A whole receiver of webhooks in plain Node, with the library of the scheme (npm install standardwebhooks):
//
//   LATCHKEY_WEBHOOK_SECRET=whsec_… PORT=9000 node examples/receive-webhooks.mjs
//
// It prints one line for each event, once however often it comes.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.LATCHKEY_WEBHOOK_SECRET);
const seen = new Set(); // A table with a unique column, in your own database: what was seen must outlive this process.

createServer(async (request, response) => {
  const body = await text(request); // As it came: JSON that was parsed and written anew has another signature.
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers['webhook-id'];
  if (!seen.has(id)) console.log(JSON.stringify({ id, ...event }));
  seen.add(id);
  return response.writeHead(204).end();
}).listen(Number(process.env.PORT ?? 9000), '127.0.0.1');
