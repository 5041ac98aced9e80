// A checkout that tells Latchkey of a purchase, with nothing but amqplib:
//
//   AMQP_URL=amqp://checkout-default:password@127.0.0.1:5672 node examples/publish-purchase.mjs '{"merchantId":"default",…}'
//
// The argument is the data of a purchase.completed.v1 event (see /asyncapi.yaml). An optional second argument is the
// event's id: publishing again under the same id, or the same purchase under another id, is safe.
import { randomUUID } from 'node:crypto';
import amqp from 'amqplib';

const [json, id = randomUUID()] = process.argv.slice(2);
if (!json || !process.env.AMQP_URL) {
  console.error('usage: AMQP_URL=amqp://… node examples/publish-purchase.mjs <purchase as JSON> [event id]');
  process.exit(64);
}
const type = 'purchase.completed.v1';
const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();

// A purchase is accepted when the broker confirmed it and did not return it: without a bound queue it would be lost.
let returned = false;
channel.on('return', () => (returned = true));
channel.publish('latchkey.events', type, Buffer.from(json), {
  mandatory: true,
  persistent: true,
  contentType: 'application/json',
  messageId: id,
  // The broker checks that this is the user who is logged in; Latchkey derives the merchant from it.
  userId: decodeURIComponent(new URL(process.env.AMQP_URL).username) || 'guest',
  headers: {
    cloudEvents_specversion: '1.0',
    cloudEvents_id: id,
    cloudEvents_source: '/checkout',
    cloudEvents_type: type,
    cloudEvents_time: new Date().toISOString(),
  },
});
await channel.waitForConfirms();
await connection.close();
console.log(returned ? 'unroutable' : 'accepted');
process.exitCode = returned ? 1 : 0;
