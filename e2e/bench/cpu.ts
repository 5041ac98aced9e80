import { readFileSync } from 'node:fs';
import { getContainerRuntimeClient } from 'testcontainers';

/** Reads how much CPU something has used since it started, in microseconds. */
export type CpuMeter = () => Promise<number>;

/** Clock ticks per second in `/proc/<pid>/stat`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The CPU of one process with its threads, from `/proc`. Linux only. */
export function cpuOfProcess(pid: number): CpuMeter {
  return async () => {
    // The name of the program stands in parentheses and may contain blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
  };
}

/** The CPU of a whole container, as its engine counts it. */
export function cpuOfContainer(containerId: string): CpuMeter {
  return async () => {
    const { container } = await getContainerRuntimeClient();
    const stats = await container.getById(containerId).stats({ stream: false, 'one-shot': true });
    return stats.cpu_stats.cpu_usage.total_usage / 1_000;
  };
}

/** Runs `work` and answers what each meter has counted meanwhile, divided by the number of operations that it answers. */
export async function cpuPerOperation(
  meters: Readonly<Record<string, CpuMeter>>,
  work: () => Promise<number>,
): Promise<Readonly<Record<string, number>>> {
  const read = async (): Promise<number[]> => Promise.all(Object.values(meters).map((meter) => meter()));
  const before = await read();
  const operations = await work();
  const after = await read();
  return Object.fromEntries(Object.keys(meters).map((name, index) => [name, (after[index]! - before[index]!) / operations]));
}
