import { type Measurement, totalCpu } from './figures.js';

/** A path of the product beside its floor: medians, and the rounds that they are of. */
export interface Comparison {
  readonly name: string;
  readonly rounds: { readonly floor: readonly Measurement[]; readonly product: readonly Measurement[] };
  readonly floor: Measurement;
  readonly product: Measurement;
}

/** The result as a Markdown table. `CPU` is microseconds per operation; a ratio above 1 means that the product has more of it. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap(({ name, floor, product }) => [
    row(name, 'floor', floor),
    row('', 'product', product),
    `| | **ratio** | ${[ratio(product.perSecond, floor.perSecond), ratio(product.p50Ms, floor.p50Ms), ratio(product.p99Ms, floor.p99Ms), ratio(totalCpu(product), totalCpu(floor))].join(' | ')} |`,
  ]);
  return ['| path | side | per second | p50 ms | p99 ms | CPU µs |', '| --- | --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function row(name: string, side: string, one: Measurement): string {
  const cpu = Object.entries(one.cpuMicroseconds).map(([process, microseconds]) => `${process} ${microseconds.toFixed(0)}`);
  return `| ${name} | ${side} | ${one.perSecond.toFixed(0)} | ${one.p50Ms.toFixed(1)} | ${one.p99Ms.toFixed(1)} | ${totalCpu(one).toFixed(0)} (${cpu.join(', ')}) |`;
}

function ratio(product: number, floor: number): string {
  return (product / floor).toFixed(2);
}
