import { eventually } from '@latchkey/kits/eventually';
import type { StartedTestContainer } from 'testcontainers';

/** Says how far the container's clock is ahead. The image's programs follow it where it is there when they start. */
const FILE = '/var/lib/clock/offset';

/** Put into a container before its start: a clock that can be moved, and has not been. */
export const STILL_CLOCK = { content: '+0\n', target: FILE };

/** How far the clock of a container that travels is ahead. */
export async function readOffsetSeconds(container: StartedTestContainer): Promise<number> {
  const { output } = await container.exec(['cat', FILE]);
  return Number.parseInt(output, 10);
}

/** Sets how far the container's clock is ahead, and waits until its answers say so: HTTP's `Date` is a second old at most. */
export async function moveClock(container: StartedTestContainer, gatewayUrl: string, offsetSeconds: number): Promise<void> {
  // Moved into place: without its file, for whatever instant, the clock would stand where it was at first.
  const { exitCode, output } = await container.exec(['sh', '-c', `echo "+${offsetSeconds}" > ${FILE}.new && mv -f ${FILE}.new ${FILE}`]);
  if (exitCode !== 0) throw new Error(`The clock of the container could not be moved: ${output.trim()}`);
  const arrivedMs = Date.now() + offsetSeconds * 1000;
  await eventually(async () => {
    const response = await fetch(`${gatewayUrl}/health/live`);
    await response.arrayBuffer();
    const dateMs = Date.parse(response.headers.get('date') ?? '');
    // `Date` counts whole seconds.
    if (!(dateMs >= arrivedMs - 2_000)) throw new Error('The clock of the container did not move.');
  }, { timeoutMs: 30_000 });
}
