import { performance } from 'node:perf_hooks';
import type { BenchSystem, Side } from './bench-system.js';
import { cpuPerOperation } from './cpu.js';
import { type Measurement, quantileOf } from './figures.js';
import { askForLicenses } from './license-load.js';
import { PurchaseLoad } from './purchase-load.js';

/** A path of the product beside its floor. */
export interface Path {
  readonly name: string;
  readonly floor: () => Promise<Measurement>;
  readonly product: () => Promise<Measurement>;
}

/** How much of each load there is in one round. */
export interface Volume {
  readonly licenses: number;
  readonly purchases: number;
  readonly steadySeconds: number;
}

/** Every path that is measured, ready to be run round by round; and what closes their connections. */
export async function openPaths(
  system: BenchSystem,
  volume: Volume,
): Promise<{ readonly paths: readonly Path[]; readonly close: () => Promise<void> }> {
  const { players, licenses, purchases } = system;
  const license = (connections: number): Path => {
    const run = ({ target, meters }: (typeof licenses)['floor']): Promise<Measurement> =>
      measure(meters, () => askForLicenses(players, target, { count: volume.licenses, connections }));
    return { name: `licence, ${connections} connections`, floor: () => run(licenses.floor), product: () => run(licenses.product) };
  };
  const floor = await PurchaseLoad.open(purchases.floor.target);
  const product = await PurchaseLoad.open(purchases.product.target);
  const purchase = (name: string, load: (one: PurchaseLoad) => Promise<readonly number[]>): Path => {
    const run = ({ meters }: Side<unknown>, one: PurchaseLoad): Promise<Measurement> => measure(meters, () => load(one));
    return { name, floor: () => run(purchases.floor, floor), product: () => run(purchases.product, product) };
  };
  return {
    paths: [
      license(64),
      license(8),
      purchase('purchase, saturated', (one) => one.saturate(volume.purchases, 1_000)),
      purchase('purchase, 200 a second', (one) => one.steady(200, volume.steadySeconds)),
      purchase('purchase, 50 a second', (one) => one.steady(50, volume.steadySeconds)),
    ],
    close: async () => {
      await Promise.all([floor.close(), product.close()]);
    },
  };
}

async function measure(meters: Side<unknown>['meters'], load: () => Promise<readonly number[]>): Promise<Measurement> {
  let durationsMs: readonly number[] = [];
  let elapsedMs = 0;
  const cpuMicroseconds = await cpuPerOperation(meters, async () => {
    const startedMs = performance.now();
    durationsMs = await load();
    elapsedMs = performance.now() - startedMs;
    return durationsMs.length;
  });
  return {
    perSecond: (durationsMs.length * 1000) / elapsedMs,
    p50Ms: quantileOf(durationsMs, 0.5),
    p99Ms: quantileOf(durationsMs, 0.99),
    cpuMicroseconds,
  };
}
