// Ends the process at the worst moments. Each lever takes `nth`: the how-manieth such moment is the last one.
import { onAck, onPublish, queueOf } from './amqp.mjs';
import { onQuery } from './database.mjs';
import { die, freeze, lever } from './levers.mjs';

const left = new Map();

function failpoint(name) {
  lever(
    name,
    ({ nth = 1 }) => left.set(name, nth),
    () => left.delete(name),
  );
}

/** Whether this moment is the one to die at. */
function reached(name) {
  const before = left.get(name);
  if (before === undefined) return false;
  left.set(name, before - 1);
  return before <= 1;
}

// The transaction is committed, the broker does not know yet: everything comes again.
failpoint('die-before-ack');
onAck.push((channel) => {
  if (queueOf(channel)?.endsWith('.in') && reached('die-before-ack')) die('die-before-ack');
});

// The broker has the event, the outbox still has it too: it is published again.
failpoint('die-before-outbox-delete');
// The effect is not committed; whatever was written is gone.
failpoint('die-before-commit');
// A licence is marked as given, and nobody gets it.
failpoint('die-after-admission');
// The transaction has locked a cookie's row, and the process stands still.
failpoint('freeze-with-join-locked');
onQuery.push((text) => {
  if (text.startsWith('insert into cookie_joins') && reached('freeze-with-join-locked')) {
    // It goes on afterwards, and may not stand still again.
    left.delete('freeze-with-join-locked');
    return { look: () => freeze('freeze-with-join-locked') };
  }
  if (text.startsWith('delete from outbox_events') && reached('die-before-outbox-delete')) die('die-before-outbox-delete');
  if (text === 'COMMIT' && reached('die-before-commit')) die('die-before-commit');
  if (text.includes('insert into replay_marks') && reached('die-after-admission')) return { look: () => die('die-after-admission') };
  return undefined;
});

// The registry has bound the device, the licence server does not hear of it.
failpoint('die-before-answer');
onPublish.push((_channel, { routingKey, content }) => {
  const isAnswer = routingKey.startsWith('amq.rabbitmq.reply-to.');
  if (isAnswer && content.includes('"bound"') && reached('die-before-answer')) die('die-before-answer');
});
