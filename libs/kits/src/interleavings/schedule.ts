/** Names of participants in the order in which their statements are released. */
export type Schedule = readonly string[];

/** The environment variable that replays one schedule instead of exploring. */
export const SCHEDULE_VARIABLE = 'LATCHKEY_SCHEDULE';

/** A schedule as one line: `refund*3 purchase*14 refund`. */
export function formatSchedule(schedule: Schedule): string {
  const runs: { name: string; count: number }[] = [];
  for (const name of schedule) {
    const last = runs.at(-1);
    if (last?.name === name) last.count += 1;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => (count === 1 ? name : `${name}*${count}`)).join(' ');
}

/** Reads what `formatSchedule` wrote. */
export function parseSchedule(line: string): Schedule {
  return line
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((run) => {
      const [name, count = '1'] = run.split('*');
      return new Array<string>(Number(count)).fill(name!);
    });
}
