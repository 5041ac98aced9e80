import { authenticatorOf } from '@latchkey/crypto';
import type { Outcome } from '../history.js';
import type { Actor } from './actor.js';

const TIMEOUT_MS = 15_000;

/** A sale as a merchant's ExpressPlay code knows it: its own cookie and key, and a device by the id of its DRM. */
export interface PlaySale {
  readonly cookie: string;
  readonly kid: string;
  readonly key: string;
  readonly deviceId: string;
}

interface PlayAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A sale that no code has begun yet. */
export function newPlaySale(): PlaySale {
  return { cookie: `shop-${hex().slice(0, 24)}`, kid: hex(), key: hex(), deviceId: hex() };
}

/** The dummy token of a sale; undefined where none was to be had. */
export async function dummyToken(actor: Actor, { cookie, kid, key }: PlaySale): Promise<string | undefined> {
  const parameters = { kid, contentKey: key, rightsType: 'BuyToOwn', cookie };
  let token: string | undefined;
  await actor.persist(async () => {
    const answer = await call(actor, '/hms/pr/token', parameters).catch(() => undefined);
    if (!answer) return { kind: 'unknown', why: 'no answer' };
    token = textOf(answer, 'token');
    return outcomeOf(answer);
  });
  return token;
}

/** A token for content. One attempt: an unknown one may have issued a token, and so does the next. */
export async function contentToken(actor: Actor, { cookie, kid, key, deviceId }: PlaySale): Promise<string | undefined> {
  const parameters = { kid, contentKey: key, rightsType: 'BuyToOwn', cookie, deviceId };
  let token: string | undefined;
  await actor.persist(() =>
    record(actor, { type: 'direct-token', via: 'expressplay', cookie, kids: [kid], idempotencyKey: crypto.randomUUID() }, async () => {
      const answer = await call(actor, '/hms/pr/token', parameters);
      token = textOf(answer, 'token');
      const outcome = outcomeOf(answer);
      return outcome.kind === 'ok' && token !== undefined ? { kind: 'ok', value: { tokenId: tokenIdOf(token), deviceId } } : outcome;
    }),
  );
  return token;
}

/** The merchant's licence server redeems a dummy token for the device. */
export async function redeemDummy(actor: Actor, token: string, { deviceId }: PlaySale): Promise<void> {
  await actor.persist(async () => {
    const answer = await call(actor, '/hms/pr/rights/', { ExpressPlayToken: token, deviceId }).catch(() => undefined);
    return answer ? outcomeOf(answer) : { kind: 'unknown', why: 'no answer' };
  });
}

/** The merchant's licence server asks whether a device may have a licence. One attempt. */
export async function redeem(actor: Actor, token: string, { kid }: PlaySale, deviceId: string): Promise<Outcome> {
  const operation = { type: 'license', tokenId: tokenIdOf(token), kids: [kid], deviceId, replica: 0, proofId: crypto.randomUUID() } as const;
  return record(actor, operation, async () => outcomeOf(await call(actor, '/hms/pr/rights/', { ExpressPlayToken: token, deviceId })));
}

function record(actor: Actor, operation: Parameters<Actor['world']['history']['run']>[1], work: () => Promise<Outcome>): Promise<Outcome> {
  return actor.world.history.run(actor.name, operation, work);
}

async function call({ world, random }: Actor, path: string, parameters: Record<string, string>): Promise<PlayAnswer> {
  const query = new URLSearchParams({ customerAuthenticator: authenticatorOf(world.seller.apiKey), errorFormat: 'json', ...parameters });
  const origin = random.pick(world.target.gatewayUrls());
  const response = await fetch(`${origin}${path}?${query.toString()}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return { status: response.status, body: (await response.json()) as PlayAnswer['body'] };
}

function outcomeOf({ status, body }: PlayAnswer): Outcome {
  const code = JSON.stringify(body['errorCode'] ?? null);
  if (status >= 500 || status === 429) return { kind: 'unknown', why: `${status} ${code}` };
  if (status >= 400) return { kind: 'refused', status, code };
  return { kind: 'ok', value: { keys: 0 } };
}

function textOf({ body }: PlayAnswer, name: string): string | undefined {
  return typeof body[name] === 'string' ? body[name] : undefined;
}

function tokenIdOf(token: string): string {
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
  return jti;
}

function hex(): string {
  return crypto.randomUUID().replaceAll('-', '');
}
