import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { events, type EventContract } from '../src/index.js';

const folder = new URL('../golden/', import.meta.url);
const goldenOf = (type: string): unknown[] => JSON.parse(readFileSync(new URL(`${type}.json`, folder), 'utf8')) as unknown[];

describe('golden events', () => {
  it('exist for every event, and for nothing else', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(files.sort()).toEqual(events.map((event) => `${event.type}.json`).sort());
  });

  it.each(events.map((event) => [event.type, event as EventContract] as const))('%s parses under today’s schema', (type, event) => {
    for (const payload of goldenOf(type)) {
      const parsed = event.schema.safeParse(payload);
      expect(parsed.error?.issues ?? []).toEqual([]);
      // What was on the wire must still mean the same: no field of it may be renamed or dropped by the schema.
      const { futureMember, ...known } = payload as Record<string, unknown>;
      expect(parsed.data).toEqual(known);
    }
  });

  it.each(events.map((event) => [event.type, event as EventContract] as const))('%s has an example that is an event', (_, event) => {
    expect(event.schema.safeParse(event.example).error?.issues ?? []).toEqual([]);
  });
});
