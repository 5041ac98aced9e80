import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { History } from './history.js';
import type { Operation } from './operation.js';

const operation: Operation = { type: 'show-purchase', purchaseId: 'p1' };

describe('History', () => {
  it('numbers operations by their calls, whichever ends first', async () => {
    const history = new History();
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = history.run('a', operation, () => promise.then(() => ({ kind: 'ok', value: {} })));
    await history.run('b', operation, async () => ({ kind: 'refused', status: 404, code: 'purchase-unknown' }));
    resolve();
    await slow;
    expect(history.entries().map(({ index, actor }) => [index, actor])).toEqual([[0, 'a'], [1, 'b']]);
    for (const { startedMs, endedMs } of history.entries()) expect(endedMs).toBeGreaterThanOrEqual(startedMs);
  });

  it('records what throws as unknown, and does not throw it', async () => {
    const history = new History();
    const outcome = await history.run('a', operation, async () => {
      throw new Error('the connection was cut');
    });
    expect(outcome).toEqual({ kind: 'unknown', why: 'Error: the connection was cut' });
    expect(history.entries()[0]?.outcome).toEqual(outcome);
  });

  it('writes each entry as a line that says the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'history-'));
    try {
      const history = new History(join(folder, 'run.jsonl'));
      await history.run('a', operation, async () => ({ kind: 'ok', value: { state: 'issued' } }));
      const lines = readFileSync(join(folder, 'run.jsonl'), 'utf8').trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ entry: history.entries()[0] }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
