import type { Fault } from './fault.js';
import { pause, within } from './pause.js';

const BALLAST = '/var/lib/postgresql/data/ballast';
const OUT_OF_SPACE = '53100';

/** The broker is short of disk: it takes nothing from whoever publishes, and still lets consumers acknowledge. */
export const diskAlarm: Fault = {
  name: 'broker-disk-alarm',
  async strike(system, random) {
    const { server } = system.broker;
    const alarmed = async (): Promise<boolean> =>
      system.management.request('GET', '/api/health/checks/local-alarms').then(
        () => false,
        () => true,
      );
    await pause(random, 50, 900);
    await server.run(['rabbitmqctl', 'set_disk_free_limit', '500GB']);
    const struck = await within(10_000, alarmed);
    await pause(random, 3_000, 6_000);
    await server.run(['rabbitmqctl', 'set_disk_free_limit', '20MB']);
    await within(15_000, async () => !(await alarmed()));
    await system.ready();
    return struck ? 1 : 0;
  },
};

/** The disk of the database is full to the last byte: statements fail, or the whole server does, until there is room again. */
export const databaseOutOfSpace: Fault = {
  name: 'database-out-of-space',
  async strike(system, random) {
    const { server } = system.database;
    await pause(random, 50, 900);
    // Succeeds never: it ends when there is no room.
    await server.onData(['dd', 'if=/dev/zero', `of=${BALLAST}`, 'bs=64k']);
    const struck = await within(10_000, async () => !(await server.isRunning()) || (await refusesForSpace(() => system.sql('cookie', hog))));
    await pause(random, 1_500, 4_000);
    await server.onData(['rm', '-f', BALLAST]);
    await server.revive();
    await system.sql('cookie', 'drop table if exists faults_hog');
    await system.ready();
    return struck ? 1 : 0;
  },
};

const hog = `create table if not exists faults_hog as select repeat(md5(n::text), 50) from generate_series(1, 5000) as n`;

async function refusesForSpace(use: () => Promise<unknown>): Promise<boolean> {
  return use().then(
    () => false,
    (error: { code?: unknown }) => error.code === OUT_OF_SPACE,
  );
}
