import { appendFileSync } from 'node:fs';
import type * as jestGlobals from '@jest/globals';
import { TEST_VARIABLES } from './test-environment.js';

/**
 * A `describe` for what needs something that not every machine has. Without it the suite is left out and written down,
 * so that the runner names it at the end (or fails): a suite that silently did not run proves nothing.
 */
export function describeWhere(available: boolean, needs: string, name: string, suite: () => void): void {
  // Jest's global, because importing it fails outside of Jest, where the fault suite uses the other kits.
  const { describe } = globalThis as unknown as typeof jestGlobals;
  if (available) {
    describe(name, suite);
    return;
  }
  const file = process.env[TEST_VARIABLES.leftOutFile];
  if (file) appendFileSync(file, `${JSON.stringify({ name, needs })}\n`);
  const { skip: leaveOut } = describe;
  leaveOut(name, suite);
}

/** A suite that needs a real RabbitMQ; its tests get theirs from `createTestVhost()`. */
export function describeWithRabbit(name: string, suite: () => void): void {
  describeWhere(Boolean(process.env[TEST_VARIABLES.amqpUrl]), 'RabbitMQ', name, suite);
}
