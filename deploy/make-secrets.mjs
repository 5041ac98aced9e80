// The one-shot service of docker-compose.yml that makes every secret of the composition, on the first start, into
// volumes: one for each container, so that none can read another's. Nothing is committed, nothing is printed, except by
//
//   docker compose run --rm -T secrets show
//
// which tells an operator at this machine the API key and the broker addresses.
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env.SECRETS_DIR ?? '/secrets';
const services = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'];
const holdsKek = new Set(['token-issuer', 'license-server']);
const merchantId = process.env.LATCHKEY_BOOTSTRAP_MERCHANT_ID || 'default';
const brokerUsers = [...services, `checkout-${merchantId}`, 'operator'];
const NODE_UID = 1000;

/** Written under another name first: a container that is stopped meanwhile must not leave half a secret behind. */
function write(path, text, { uid, mode }) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode });
  chownSync(`${path}.new`, uid, uid);
  renameSync(`${path}.new`, path);
}

const password = () => randomBytes(24).toString('base64url');

/**
 * What was made stays as it is, because databases and broker hold it by now. Only what is missing is made: on the first
 * start all of it, and later what another LATCHKEY_BOOTSTRAP_MERCHANT_ID needs, which is a broker user of its checkout and
 * an API key of its own, because a key never changes its merchant.
 */
function secrets() {
  const file = join(root, 'master', 'secrets.json');
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const made = {
    kek: known.kek ?? `k1:${randomBytes(32).toString('base64')}`,
    webhookKey: known.webhookKey ?? `w1:${randomBytes(32).toString('base64')}`,
    postgres: known.postgres ?? password(),
    database: withMissing(known.database, services, password),
    broker: withMissing(known.broker, brokerUsers, password),
    apiKeys: withMissing(known.apiKeys, [merchantId], () => `lk_compose_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`),
  };
  const text = JSON.stringify(made);
  if (text !== JSON.stringify(known)) write(file, text, { uid: 0, mode: 0o400 });
  return made;
}

function withMissing(known = {}, names, make) {
  return { ...known, ...Object.fromEntries(names.filter((name) => !Object.hasOwn(known, name)).map((name) => [name, make()])) };
}

const databaseOf = (service) => service.replaceAll('-', '_');

/** Runs once, when PostgreSQL makes its cluster: each service logs in as its own role, to its own database alone. */
function initSql(database) {
  return services
    .map((service) => {
      const name = databaseOf(service);
      return `create role ${name} login password '${database[service]}';\ncreate database ${name} owner ${name};\nrevoke all on database ${name} from public;\n`;
    })
    .join('');
}

/** RabbitMQ's own form of a password hash: base64 of a 4-byte salt followed by SHA-256 of salt and password. */
function passwordHash(password) {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
}

function definitions(broker) {
  const text = readFileSync(new URL('./rabbitmq/definitions.json', import.meta.url), 'utf8');
  const base = JSON.parse(text.replaceAll('"checkout-default"', JSON.stringify(`checkout-${merchantId}`)));
  const users = base.users.map((user) => ({ ...user, password_hash: passwordHash(broker[user.name]), hashing_algorithm: 'rabbit_password_hashing_sha256' }));
  return JSON.stringify({ ...base, users });
}

function environmentOf(service, made) {
  const lines = [
    `DATABASE_URL=postgres://${databaseOf(service)}:${made.database[service]}@postgres:5432/${databaseOf(service)}`,
    `AMQP_URL=amqp://${service}:${made.broker[service]}@rabbitmq:5672`,
  ];
  if (holdsKek.has(service)) lines.push(`LATCHKEY_KEK=${made.kek}`);
  if (service === 'gateway') lines.push(`LATCHKEY_BOOTSTRAP_API_KEY=${made.apiKeys[merchantId]}`, `LATCHKEY_WEBHOOK_KEY=${made.webhookKey}`);
  return `${lines.join('\n')}\n`;
}

const made = secrets();
if (process.argv[2] === 'show') {
  const amqp = (user) => `amqp://${user}:${made.broker[user]}@127.0.0.1:${process.env.AMQP_PORT ?? 5672}`;
  const shown = {
    gatewayUrl: process.env.LATCHKEY_PUBLIC_URL,
    apiKey: made.apiKeys[merchantId],
    checkoutAmqpUrl: amqp(`checkout-${merchantId}`),
    operatorAmqpUrl: amqp('operator'),
  };
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
} else {
  // The volumes of PostgreSQL and RabbitMQ are theirs alone; their user ids differ between images.
  write(join(root, 'postgres', 'password'), made.postgres, { uid: 0, mode: 0o444 });
  write(join(root, 'postgres', 'init', '10-latchkey.sql'), initSql(made.database), { uid: 0, mode: 0o444 });
  write(join(root, 'rabbitmq', 'definitions.json'), definitions(made.broker), { uid: 0, mode: 0o444 });
  for (const service of services) write(join(root, service, 'env'), environmentOf(service, made), { uid: NODE_UID, mode: 0o400 });
}
