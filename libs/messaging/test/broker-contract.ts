import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CookieIssued, DeviceRegistered, DeviceRevoked } from '@latchkey/contracts';
import { eventually } from '@latchkey/kits';
import { BATCH_SIZE_MAX, type Broker, done, type RetryRung } from '../src/broker.js';
import { cookieService, depthsOf, fastLadder, idOf, issuer, licenseServer, many, registered, remembering, revoked } from './contract-fixtures.js';
import { describeRequestContract } from './request-contract.js';
import { describeWaitingContract } from './waiting-contract.js';

/** What a bus under test is made with: a ladder that a test can wait for. */
export interface ContractSettings {
  readonly ladder: readonly RetryRung[];
  readonly attemptsMax: number;
}

/** A bus of one test: empty at first, and gone without a trace after `dispose`. */
export interface ContractBus {
  readonly broker: Broker;
  dispose(): Promise<void>;
}

/**
 * The promises that every bus keeps. `makeBus` makes a fresh one for each test.
 */
export function describeBrokerContract(name: string, makeBus: (settings: ContractSettings) => Promise<ContractBus>): void {
  describe(`${name} keeps the contract of a bus`, () => {
    let bus: ContractBus;
    let broker: Broker;

    beforeEach(async () => {
      bus = await makeBus({ ladder: fastLadder, attemptsMax: 4 });
      broker = bus.broker;
      await broker.declare(issuer);
      await broker.declare(cookieService);
    });
    afterEach(() => bus.dispose());

    describePublishing(() => broker);
    describeVerdicts(() => broker);
    describeWaitingContract(() => broker);
    describeStopping(() => broker);
    describeRequestContract(() => broker);
  });
}

function describePublishing(bus: () => Broker): void {
  it('is up, and declaring again changes nothing', async () => {
    await bus().declare(issuer);
    expect(bus().state).toBe('up');
  });

  it('confirms what every service that hears of it then gets', async () => {
    const [atIssuer, atCookie] = [remembering(), remembering()];
    await bus().consume(issuer, atIssuer.handler);
    await bus().consume(cookieService, atCookie.handler);
    expect(await bus().publish([registered('a'), revoked('b')])).toEqual(['confirmed', 'confirmed']);
    await eventually(() => expect([atIssuer.ids(), atCookie.ids()]).toEqual([['a', 'b'], ['a']]));
    expect(atCookie.seen()[0]).toMatchObject({
      body: Buffer.from('{"deviceId":"a"}'),
      contentType: 'application/json',
      headers: { cloudEvents_type: DeviceRegistered.type, cloudEvents_source: '/contract', cloudEvents_specversion: '1.0' },
      exchange: 'latchkey.events',
      routingKey: DeviceRegistered.type,
      publisher: undefined,
      attempt: 1,
      redelivered: false,
    });
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('answers unroutable for the one event that nobody hears, and failed for the one that is too large', async () => {
    const unheard = { ...revoked('nobody'), type: CookieIssued.type };
    const oversize = { ...revoked('large'), data: 'x'.repeat(256 * 1024) };
    const outcomes = await bus().publish([revoked('a'), unheard, oversize, revoked('b'), unheard]);
    expect(outcomes).toEqual(['confirmed', 'unroutable', 'failed', 'confirmed', 'unroutable']);
    const { handler, ids } = remembering();
    await bus().consume(issuer, handler);
    await eventually(() => expect(ids()).toEqual(['a', 'b']));
  });

  it('takes a copy to the service that it is for, and answers unroutable where that service hears none', async () => {
    await bus().declare(licenseServer);
    expect(await bus().publish([{ ...revoked('copy'), copyFor: 'license-server' }])).toEqual(['confirmed']);
    expect(await bus().publish([{ ...revoked('not heard'), copyFor: 'token-issuer' }])).toEqual(['unroutable']);
    expect(await bus().publish([{ ...registered('not heard'), copyFor: 'license-server' }])).toEqual(['unroutable']);
    expect(await bus().publish([revoked('original')])).toEqual(['confirmed']);
    const [atIssuer, atLicenseServer] = [remembering(), remembering()];
    await bus().consume(issuer, atIssuer.handler);
    await bus().consume(licenseServer, atLicenseServer.handler);
    await eventually(() => expect([atIssuer.ids(), atLicenseServer.ids()]).toEqual([['original'], ['copy']]));
    expect(atLicenseServer.seen()[0]).toMatchObject({ exchange: 'latchkey.copies', routingKey: 'license-server.device.revoked.v1' });
  });

  it('confirms nothing when there is nothing to publish', async () => {
    expect(await bus().publish([])).toEqual([]);
  });

  it('hands over what waits in batches of bounded size, in order', async () => {
    const events = many(BATCH_SIZE_MAX * 2 + 1);
    expect(new Set(await bus().publish(events))).toEqual(new Set(['confirmed']));
    const { handler, batches, ids } = remembering(() => delay(20, done));
    await bus().consume(issuer, handler);
    await eventually(() => expect(ids()).toEqual(events.map(({ id }) => id)));
    expect(batches.length).toBeLessThan(20);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(BATCH_SIZE_MAX);
  });

  it('shares the messages between two consumers, and no message goes to both', async () => {
    const [first, second] = [remembering(() => delay(2, done)), remembering(() => delay(2, done))];
    await bus().consume(issuer, first.handler);
    await bus().consume(issuer, second.handler);
    const events = many(1000);
    for (let start = 0; start < events.length; start += 50) await bus().publish(events.slice(start, start + 50));
    await eventually(() => expect([...first.ids(), ...second.ids()].sort()).toEqual(events.map(({ id }) => id).sort()));
    expect(Math.min(first.ids().length, second.ids().length)).toBeGreaterThan(0);
  });
}

function describeVerdicts(bus: () => Broker): void {
  it('brings a message back by the ladder, with growing attempts, until it is done', async () => {
    const atMs: number[] = [];
    const { handler, seen } = remembering((message) => {
      atMs.push(performance.now());
      return message.attempt < 4 ? { kind: 'retry', reason: 'not yet' } : done;
    });
    await bus().consume(issuer, handler);
    await bus().publish([revoked('slow')]);
    await eventually(() => expect(seen().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]));
    const waitsMs = atMs.slice(1).map((ms, index) => ms - atMs[index]!);
    for (const [index, atLeastMs] of [50, 100, 100].entries()) expect(waitsMs[index]).toBeGreaterThan(atLeastMs - 2);
    for (const message of seen()) expect(message).toMatchObject({ routingKey: DeviceRevoked.type, body: Buffer.from('{"deviceId":"slow"}') });
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('puts a message into quarantine after the last attempt', async () => {
    const { handler, seen } = remembering(() => ({ kind: 'retry', reason: 'never' }));
    await bus().consume(issuer, handler);
    await bus().publish([revoked('hopeless')]);
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(seen().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(await bus().quarantined('token-issuer', 10)).toMatchObject([{ id: 'hopeless', attempt: 4, reason: expect.stringContaining('never') }]);
  });

  it('puts poison aside with its reason, and does not delay its neighbours', async () => {
    const { handler, ids } = remembering((message) => (idOf(message) === 'poison' ? { kind: 'quarantine', reason: 'it is poison' } : done));
    await bus().consume(issuer, handler);
    await bus().publish([revoked('a'), revoked('poison'), revoked('b')]);
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 1 }));
    expect(ids()).toEqual(['a', 'poison', 'b']);
    const [message, ...others] = await bus().quarantined('token-issuer', 10);
    expect(message).toEqual({ id: 'poison', type: DeviceRevoked.type, reason: 'it is poison', attempt: 1, quarantinedAt: expect.any(String) });
    expect(Math.abs(Date.parse(message!.quarantinedAt!) - Date.now())).toBeLessThan(60_000);
    expect(others).toEqual([]);
  });

  it('shows the quarantine oldest first, as often as asked, and redrives all or some as first attempts', async () => {
    let poison = true;
    const { handler, seen, batches } = remembering(() => (poison ? { kind: 'quarantine', reason: 'for now' } : done));
    await bus().consume(issuer, handler);
    for (const id of ['x', 'y', 'z']) await bus().publish([revoked(id)]);
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 3 }));
    poison = false;
    batches.length = 0;
    const shown = async (limit: number) => (await bus().quarantined('token-issuer', limit)).map(({ id }) => id);
    // More often than the delivery limit that a bare broker has: looking must never use a message up.
    for (let looks = 0; looks < 30; looks += 1) expect(await shown(2)).toEqual(['x', 'y']);
    expect(await shown(10)).toEqual(['x', 'y', 'z']);
    expect(await bus().redrive('token-issuer', ['y', 'unknown'])).toBe(1);
    await eventually(() => expect(seen()).toMatchObject([{ attempt: 1, routingKey: DeviceRevoked.type, headers: { cloudEvents_id: 'y' } }]));
    expect(await shown(10)).toEqual(['x', 'z']);
    expect(await bus().redrive('token-issuer')).toBe(2);
    await eventually(() => expect(seen().map(idOf).sort()).toEqual(['x', 'y', 'z']));
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('redrives a message once that comes straight back to quarantine', async () => {
    const { handler, seen } = remembering(() => ({ kind: 'quarantine', reason: 'still poison' }));
    await bus().consume(issuer, handler);
    await bus().publish([revoked('a'), revoked('b')]);
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 2 }));
    expect(await bus().redrive('token-issuer')).toBe(2);
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 2 }));
    expect(seen()).toHaveLength(4);
  });

  it('repeats a batch whose handler rejects, without a hot loop and without losing any', async () => {
    let [calls, broken] = [0, true];
    const handled: string[] = [];
    await bus().consume(issuer, async (messages) => {
      calls += 1;
      if (broken) throw new Error('the handler is broken');
      handled.push(...messages.map(idOf));
      return messages.map(() => done);
    });
    await bus().publish(many(10));
    await delay(700);
    broken = false;
    expect(calls).toBeGreaterThan(1);
    expect(calls).toBeLessThan(10);
    await eventually(() => expect(handled.sort()).toEqual(many(10).map(({ id }) => id)));
    await eventually(async () => expect(await depthsOf(bus(), issuer)).toEqual({ in: 0, retry: 0, dlq: 0 }));
  });

  it('takes neither too few verdicts nor too many for an answer', async () => {
    const { handler, ids } = remembering();
    const wrong = [[], [done, done]];
    await bus().consume(issuer, async (messages) => {
      const verdicts = await handler(messages);
      return wrong.shift() ?? verdicts;
    });
    await bus().publish([revoked('a')]);
    await eventually(() => expect(ids()).toEqual(['a', 'a', 'a']));
  });
}

function describeStopping(bus: () => Broker): void {
  it('lets what it was given end, settles it, and leaves the rest to the next consumer as nobody had seen it', async () => {
    const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handled: string[] = [];
    const running = await bus().consume(issuer, async (messages) => {
      entered.resolve();
      await release.promise;
      handled.push(...messages.map(idOf));
      return messages.map(() => done);
    });
    const events = many(BATCH_SIZE_MAX + 50);
    await bus().publish(events.slice(0, 1));
    await entered.promise;
    await bus().publish(events.slice(1));
    let stopped = false;
    const stopping = running.stop().then(() => (stopped = true));
    await delay(100);
    expect(stopped).toBe(false);
    release.resolve();
    await stopping;
    expect(handled[0]).toBe('e-0');

    const settled = handled.length;
    await bus().publish([events[0]!]);
    const next = remembering();
    await bus().consume(issuer, next.handler);
    await eventually(() => expect([...handled, ...next.ids()]).toEqual([...events.map(({ id }) => id), 'e-0']));
    expect(handled).toHaveLength(settled);
    expect(next.seen().filter(({ redelivered }) => redelivered)).toEqual([]);
    await running.stop();
  });

  it('loses nothing and repeats nothing when consumers come and go in mid-stream', async () => {
    const { handler, ids } = remembering(() => delay(1, done));
    const events = many(600);
    const publishing = (async () => {
      for (let start = 0; start < events.length; start += 20) {
        await bus().publish(events.slice(start, start + 20));
        await delay(10);
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      const running = await bus().consume(issuer, handler);
      await delay(40);
      await running.stop();
    }
    await publishing;
    await bus().consume(issuer, handler);
    await eventually(() => expect(ids().sort()).toEqual(events.map(({ id }) => id).sort()));
  });
}
