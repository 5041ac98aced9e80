// Looks into what a process asks its database, before the driver does.
import pg from 'pg';

const { query } = pg.Client.prototype;

/**
 * Called with (text, values) before a statement is sent. May answer `{ text }` to send another, `{ rows }` to send none
 * and answer these, `{ delayMs }` to send it later, or `{ look(result) }` to look at its answer before anybody else does.
 */
export const onQuery = [];

pg.Client.prototype.query = function intercepted(config, values, callback) {
  const text = typeof config === 'string' ? config : config?.text;
  if (typeof text !== 'string') return query.call(this, config, values, callback);
  const given = typeof values === 'function' ? undefined : (values ?? config.values);
  const answer = typeof values === 'function' ? values : callback;
  const wishes = onQuery.map((hook) => hook(text, given)).filter(Boolean);
  if (wishes.length === 0) return query.call(this, config, values, callback);
  const wish = Object.assign({}, ...wishes);
  const sent = send(this, config, given, wish).then((result) => {
    wish.look?.(result);
    return result;
  });
  if (typeof answer !== 'function') return sent;
  sent.then(
    (result) => answer(null, result),
    (error) => answer(error),
  );
  return undefined;
};

async function send(client, config, values, wish) {
  if (wish.delayMs) await new Promise((resolve) => setTimeout(resolve, wish.delayMs));
  if (wish.rows) return { rows: wish.rows, rowCount: wish.rows.length, fields: [], command: 'SELECT' };
  // A statement under a name is planned once: another text needs another name.
  const changed = wish.text === undefined ? config : typeof config === 'string' ? wish.text : { ...config, text: wish.text, name: config.name && `${config.name}-changed` };
  return query.call(client, changed, values);
}
