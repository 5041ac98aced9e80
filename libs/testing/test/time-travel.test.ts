import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { generateApiKey } from '@latchkey/crypto';
import { describeWhere, hasDocker } from '@latchkey/kits';
import { aPurchase, LatchkeyContainer, type Purchase, type StartedLatchkeyContainer } from '../src/index.js';
import { BUILD_MS, buildImage } from './build-image.js';

jest.setTimeout(240_000);

const HOUR_MS = 3_600_000;

describeWhere(hasDocker(), 'Docker', 'time travel', () => {
  let latchkey: StartedLatchkeyContainer;
  const apiKey = generateApiKey('test');
  const travelling = (): LatchkeyContainer => new LatchkeyContainer().withTimeTravel().withApiKey(apiKey).withReuse();

  beforeAll(async () => {
    await buildImage('latchkey/standalone');
    latchkey = await travelling().start();
  }, BUILD_MS);
  afterAll(() => latchkey?.stop());

  const after = (hours: number): string => new Date(latchkey.now().getTime() + hours * HOUR_MS).toISOString();
  const rented = (availableHours: number, playHours: number, availableFrom?: string): Promise<Purchase> =>
    aPurchase(latchkey, { rights: { type: 'rental', availableFrom, availableUntil: after(availableHours), playDurationSeconds: playHours * 3_600 } });

  it('ends a rental when its play duration is over, although it would be available for weeks', async () => {
    const film = await rented(30 * 24, 48);
    await film.license();
    await latchkey.travel({ hours: 47 });
    expect((await film.license()).keys).toHaveLength(1);
    await latchkey.travel({ hours: 2 });
    await expect(film.license()).rejects.toMatchObject({ code: 'rental-expired', action: 'buy-again' });
  });

  it('ends a rental that was never played when it is available no longer', async () => {
    const film = await rented(10, 48);
    await latchkey.travel({ hours: 11 });
    await expect(film.license()).rejects.toMatchObject({ code: 'rental-expired' });
  });

  it('lets a rental begin when its time has come', async () => {
    const film = await rented(48, 4, after(24));
    await expect(film.license()).rejects.toMatchObject({ code: 'rental-not-started', action: 'wait' });
    await latchkey.travel({ days: 1, minutes: 1 });
    expect((await film.license()).keys).toHaveLength(1);
  });

  it('moves PostgreSQL’s clock as well as Node’s, at once, for what was connected before', async () => {
    const before = latchkey.now();
    const arrived = await latchkey.travel({ days: 100 });
    expect(arrived.getTime() - before.getTime()).toBeGreaterThanOrEqual(100 * 24 * HOUR_MS);
    // A token's times are Node's; those of a cookie and its device are the databases'.
    const film = await aPurchase(latchkey);
    const get = async (path: string): Promise<Record<string, string>> =>
      (await (await fetch(latchkey.gatewayUrl + path, { headers: { authorization: `Bearer ${latchkey.apiKey}` } })).json()) as Record<string, string>;
    const { registeredAt } = await get(`/v1/cookies/${film.cookie}/device`);
    const { iat } = JSON.parse(Buffer.from((await film.token()).split('.')[1]!, 'base64url').toString()) as { iat: number };
    for (const atMs of [Date.parse(registeredAt!), iat * 1000]) expect(Math.abs(atMs - latchkey.now().getTime())).toBeLessThan(60_000);
    const unmoved = await latchkey.exec(['sh', '-c', 'for p in /proc/[0-9]*; do grep -q "^postgres: " $p/cmdline && grep -L faketime $p/maps; done; true']);
    expect(unmoved.output.trim()).toBe('');
  });

  it('goes forward only, and stays where it is over a restart', async () => {
    await expect(latchkey.travel({ hours: -1 })).rejects.toThrow(RangeError);
    await latchkey.restart({ timeout: 20_000 });
    const answer = await fetch(`${latchkey.gatewayUrl}/health/live`);
    expect(Math.abs(Date.parse(answer.headers.get('date')!) - latchkey.now().getTime())).toBeLessThan(5_000);
    expect((await (await aPurchase(latchkey)).license()).keys).toHaveLength(1);
  });

  it('is known to whoever finds the container again, which runs on', async () => {
    const found = await travelling().start();
    expect([found.getId(), found.licenseUrl]).toEqual([latchkey.getId(), latchkey.licenseUrl]);
    expect(Math.abs(found.now().getTime() - latchkey.now().getTime())).toBeLessThan(1_000);
    expect((await (await aPurchase(found)).license()).keys).toHaveLength(1);
  });
});
