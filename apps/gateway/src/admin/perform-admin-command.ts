import { authenticatorOf, generateApiKey, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import type { ApiKeyStore, StoredApiKey } from '../api-keys/api-key-store.js';
import type { AdminCommand } from './admin-command.js';

/** Why a command was not carried out. */
export interface AdminRefusal {
  readonly error: 'merchant-exists' | 'merchant-unknown' | 'key-unknown' | 'key-not-live';
  readonly message: string;
}

/** What a command answers, ready to be printed as JSON. */
export type AdminAnswer = Readonly<Record<string, unknown>>;

/** Carries out a command. A key is in the answer of the command that made it and nowhere else, ever. */
export async function performAdminCommand(store: ApiKeyStore, command: AdminCommand): Promise<AdminAnswer | AdminRefusal> {
  switch (command.kind) {
    case 'create-merchant':
      return createMerchant(store, command.merchantId);
    case 'list-merchants':
      return { merchants: await store.merchants() };
    case 'create-key':
      return createKey(store, command);
    case 'rotate-key':
      return rotateKey(store, command.keyId, command.overlapSeconds);
    case 'revoke-key':
      return revokeKey(store, command.keyId);
    case 'list-keys':
      if (!(await store.hasMerchant(command.merchantId))) return merchantUnknown(command.merchantId);
      return { keys: (await store.ofMerchant(command.merchantId)).map(describeKey) };
  }
}

async function createMerchant(store: ApiKeyStore, merchantId: string): Promise<AdminAnswer | AdminRefusal> {
  const createdAt = await store.transaction((tx) => store.createMerchant(tx, merchantId));
  if (createdAt === undefined) return { error: 'merchant-exists', message: `the merchant ${merchantId} exists already` };
  return { merchantId, createdAt };
}

async function createKey(store: ApiKeyStore, command: Extract<AdminCommand, { kind: 'create-key' }>): Promise<AdminAnswer | AdminRefusal> {
  if (!(await store.hasMerchant(command.merchantId))) return merchantUnknown(command.merchantId);
  return store.transaction((tx) => insertNew(store, tx, command));
}

/** The new key can do what the old one could; both work until the overlap is over. */
async function rotateKey(store: ApiKeyStore, keyId: string, overlapSeconds: number): Promise<AdminAnswer | AdminRefusal> {
  return store.transaction(async (tx) => {
    const old = await store.lock(tx, keyId);
    if (!old) return keyUnknown(keyId);
    if (!old.live) return { error: 'key-not-live', message: `the key ${keyId} is revoked or expired: create a new one` };
    const made = await insertNew(store, tx, old);
    return { ...made, replaces: describeKey(await store.expireIn(tx, keyId, overlapSeconds)) };
  });
}

async function revokeKey(store: ApiKeyStore, keyId: string): Promise<AdminAnswer | AdminRefusal> {
  const revoked = await store.transaction((tx) => store.revoke(tx, keyId));
  return revoked ? describeKey(revoked) : keyUnknown(keyId);
}

async function insertNew(store: ApiKeyStore, tx: Tx, like: Pick<StoredApiKey, 'merchantId' | 'env' | 'scopes'>): Promise<AdminAnswer> {
  const fullKey = generateApiKey(like.env);
  const { keyId } = parseApiKey(fullKey)!;
  const stored = await store.insert(tx, { keyId, merchantId: like.merchantId, env: like.env, scopes: like.scopes, hash: hashApiKeySecret(fullKey) });
  return { key: fullKey, customerAuthenticator: authenticatorOf(fullKey), ...describeKey(stored) };
}

function describeKey({ keyId, merchantId, env, scopes, createdAt, expiresAt, revokedAt, live }: StoredApiKey): AdminAnswer {
  return { keyId, merchantId, env, scopes, live, createdAt, expiresAt, revokedAt };
}

function merchantUnknown(merchantId: string): AdminRefusal {
  return { error: 'merchant-unknown', message: `there is no merchant ${merchantId}` };
}

function keyUnknown(keyId: string): AdminRefusal {
  return { error: 'key-unknown', message: `there is no key ${keyId}` };
}
