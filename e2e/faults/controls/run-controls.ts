import { triedInAll } from '../checker/verdict.js';
import { System } from '../system/system.js';
import { acts } from './acts.js';
import { Stage } from './stage.js';

/** Performs every control on a system of its own and tells how it went; resolves to the exit code. */
export async function runControls(say: (line: string) => void): Promise<number> {
  const system = await System.start();
  try {
    const stage = await Stage.open(system);
    let good = true;
    for (const verdict of await stage.twin()) {
      const held = verdict.broken.length === 0 && triedInAll(verdict) > 0;
      good &&= held;
      say(`${held ? 'held' : 'NOT HELD'}  ${verdict.invariant} with nothing broken`);
      for (const { what } of verdict.broken) say(`    ${what}`);
    }
    for (const act of acts) {
      for (const { control, noticed, found } of await stage.perform(act)) {
        good &&= noticed;
        say(`${noticed ? 'noticed' : 'MISSED '}  ${control.invariant} ${control.name}`);
        for (const what of found.slice(0, 2)) say(`    ${what}`);
      }
    }
    await stage.close();
    return good ? 0 : 1;
  } finally {
    await system.close();
  }
}
