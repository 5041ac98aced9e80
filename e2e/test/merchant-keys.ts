import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateApiKey, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
import { Client } from 'pg';

/** Every scope that there is. */
export const allScopes = ['cookies', 'devices', 'purchases', 'tokens', 'keys', 'licenses:verify', 'admin'] as const;

/** Makes merchants and keys behind a standalone's back, as its operator's commands would, only without a process for each. */
export class MerchantKeys {
  private constructor(private readonly client: Client) {}

  /** Opens the gateway's database of the standalone that runs on this data directory. */
  static async open(dataDir: string): Promise<MerchantKeys> {
    const { gatewayDatabaseUrl } = JSON.parse(await readFile(join(dataDir, 'connection.json'), 'utf8')) as { gatewayDatabaseUrl: string };
    const client = new Client({ connectionString: gatewayDatabaseUrl });
    await client.connect();
    return new MerchantKeys(client);
  }

  /** A key of a merchant, which is made where it is new. */
  async make(merchantId: string, scopes: readonly string[] = allScopes, ended: { revokedAt?: Date; expiresAt?: Date } = {}): Promise<string> {
    const key = generateApiKey('test');
    await this.client.query('insert into merchants (merchant_id) values ($1) on conflict do nothing', [merchantId]);
    await this.client.query('insert into api_keys (key_id, merchant_id, env, hash, scopes, revoked_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)', [
      parseApiKey(key)!.keyId,
      merchantId,
      'test',
      hashApiKeySecret(key),
      scopes,
      ended.revokedAt,
      ended.expiresAt,
    ]);
    return key;
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
