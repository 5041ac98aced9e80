import {
  createTestDatabase,
  createTestVhost,
  FakeDevice,
  freePort,
  startProcess,
  type StartedProcess,
  type TestDatabase,
  type TestVhost,
} from '@latchkey/kits';
import { Distributed } from '../test/distributed.js';
import type { Merchant } from '../test/merchant.js';
import { type CpuMeter, cpuOfProcess } from './cpu.js';
import type { LicenseTarget, Player } from './license-load.js';
import type { PurchaseTarget } from './purchase-load.js';
import type { Servers } from './servers.js';

/** One side of a comparison on each path. */
export interface Side<Target> {
  readonly target: Target;
  readonly meters: Readonly<Record<string, CpuMeter>>;
}

/** The product and its floors, started on the same servers, with devices that are bound and a content key that is stored. */
export class BenchSystem {
  private constructor(
    private readonly product: Distributed,
    private readonly floors: readonly StartedProcess[],
    private readonly floorVhost: TestVhost,
    private readonly floorDatabase: TestDatabase,
    readonly players: readonly Player[],
    readonly licenses: { readonly floor: Side<LicenseTarget>; readonly product: Side<LicenseTarget> },
    readonly purchases: { readonly floor: Side<PurchaseTarget>; readonly product: Side<PurchaseTarget> },
  ) {}

  static async start(servers: Servers, deviceCount: number): Promise<BenchSystem> {
    const product = await Distributed.start(1);
    const [floorVhost, floorDatabase] = [await createTestVhost(), await createTestDatabase()];
    const merchant = product.merchant();
    const { kid } = await merchant.contentKey();
    const { players, cookies } = await bindDevices(merchant, kid, deviceCount);
    const environment = { FLOOR_LICENSE_URL: product.licenseUrl, FLOOR_KEK: product.kek };
    const licensePort = await freePort();
    const licenseFloor = await startProcess({
      entry: 'e2e/bench/floors/license-floor.ts',
      env: { ...environment, FLOOR_PORT: String(licensePort), FLOOR_JWKS: JSON.stringify((await merchant.call('/.well-known/jwks.json')).body) },
      readyUrl: `http://127.0.0.1:${licensePort}/health/live`,
    });
    const purchaseFloor = await startProcess({
      entry: 'e2e/bench/floors/purchase-floor.ts',
      env: {
        ...environment,
        FLOOR_DATABASE_URL: floorDatabase.url,
        FLOOR_AMQP_URL: floorVhost.amqpUrl,
        FLOOR_DEVICE_ID: players[0]!.device.deviceId,
      },
    });
    await untilPrinted(purchaseFloor, 'ready');
    const shared = { postgres: servers.postgres, broker: servers.broker };
    const of = (service: Parameters<Distributed['of']>[0]): CpuMeter => cpuOfProcess(product.of(service)[0]!.process.pid);
    const license = { licenseUrl: product.licenseUrl, kid };
    const purchase = { merchantId: 'default', cookies, kid };
    return new BenchSystem(
      product,
      [licenseFloor, purchaseFloor],
      floorVhost,
      floorDatabase,
      players,
      {
        floor: { target: { ...license, port: licensePort }, meters: { server: cpuOfProcess(licenseFloor.pid) } },
        product: {
          target: { ...license, port: Number(new URL(product.licenseUrl).port) },
          meters: { server: of('license-server'), gateway: of('gateway'), ...shared },
        },
      },
      {
        floor: {
          target: { ...purchase, exchange: 'floor.events', checkoutAmqpUrl: floorVhost.amqpUrl, observerAmqpUrl: floorVhost.amqpUrl },
          meters: { worker: cpuOfProcess(purchaseFloor.pid), ...shared },
        },
        product: {
          target: {
            ...purchase,
            exchange: 'latchkey.events',
            checkoutAmqpUrl: product.checkoutAmqpUrl,
            observerAmqpUrl: product.vhost.amqpUrl,
          },
          meters: { worker: of('token-issuer'), gateway: of('gateway'), ...shared },
        },
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.floors.map((floor) => floor.stop()));
    await this.product.remove();
    await this.floorVhost.close();
    await this.floorDatabase.drop();
  }
}

async function bindDevices(merchant: Merchant, kid: string, count: number): Promise<{ players: Player[]; cookies: string[] }> {
  const players: Player[] = [];
  const cookies: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const device = new FakeDevice();
    const cookie = await merchant.cookie(`bench-${index}`, 86_400);
    const status = await merchant.register(device, cookie);
    if (status !== 200) throw new Error(`a device could not be bound: ${status}`);
    const { token } = await merchant.expect(201, '/v1/tokens', { cookie, contentId: 'film-bench', kids: [kid], rights: { type: 'purchase' } });
    players.push({ device, token: String(token) });
    cookies.push(cookie);
  }
  return { players, cookies };
}

async function untilPrinted(process: StartedProcess, text: string): Promise<void> {
  let ended = false;
  void process.ended.then(() => (ended = true));
  while (!process.stdout().includes(text)) {
    if (ended) throw new Error(`a floor ended before it was ready.\n${process.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
