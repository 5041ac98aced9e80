import type { System } from '../system/system.js';

/**
 * Does something and rejects if messages were put on the retry ladder meanwhile. While a part is away, no attempt may be
 * counted: a message on a rung waits after healing for as long as the rung does, in operation up to half an hour. This
 * holds on a machine of any speed, and a limit in seconds would not.
 */
export async function withoutClimbing<T>(system: System, during: () => Promise<T>): Promise<T> {
  const before = await system.counted('climbed');
  const result = await during();
  const climbed = (await system.counted('climbed')) - before;
  if (climbed > 0) throw new Error(`${climbed} messages were put on the retry ladder while a part was away`);
  return result;
}
