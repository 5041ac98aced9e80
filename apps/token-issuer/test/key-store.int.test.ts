import { type RequestInput, requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Issuer, MERCHANT } from './issuer.js';

type Key = RequestInput<typeof requests.storeKeys>['keys'][number];

let database: TestDatabase;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
});

afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

beforeEach(() => issuer.rows('truncate stored_keys'));

const kidOf = (number: number): string => number.toString(16).padStart(32, '0');
const keyOf = (number: number, rest: Partial<Key> = {}): Key => ({ kid: kidOf(number), ek: number.toString(16).padStart(48, 'e'), kekId: 'kek-of-mine', ...rest });
const input = (keys: Key[], rest: { merchantId?: string } = {}) => ({ merchantId: MERCHANT, ...rest, keys });
const store = async (...given: Parameters<typeof input>) => (await issuer.ask(requests.storeKeys, input(...given))).keys;
const change = async (number: number, said: RequestInput<typeof requests.changeStoredKey>['change'], merchantId = MERCHANT) =>
  (await issuer.ask(requests.changeStoredKey, { merchantId, kid: kidOf(number), change: said })).key;
const stored = async (numbers?: number[], merchantId = MERCHANT) => (await issuer.ask(requests.getStoredKeys, { merchantId, kids: numbers?.map(kidOf) })).keys;
const remove = async (numbers: number[], merchantId = MERCHANT) => (await issuer.ask(requests.deleteStoredKeys, { merchantId, kids: numbers.map(kidOf) })).kids;
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

describe('the key store', () => {
  it('shows what was stored, in the order asked for, and leaves out what is unknown', async () => {
    const full = keyOf(1, { info: 'Füm, "quoted"', contentId: 'a content id / of theirs', expiration: inSeconds(60) });
    const [one, two] = await store([full, keyOf(2)]);
    expect(one).toEqual({ ...full, lastUpdate: expect.any(String) });
    expect(two).toEqual({ ...keyOf(2), lastUpdate: expect.any(String) });
    expect(await stored([2, 9, 1, 2])).toEqual([two, one]);
  });

  it('stores all or none: one that is there already keeps the others out', async () => {
    const [before] = await store([keyOf(2)]);
    expect(await issuer.refusal(requests.storeKeys, input([keyOf(1), keyOf(2, { kekId: 'another' }), keyOf(3)]))).toBe('stored-key-exists 409');
    expect(await stored([1, 2, 3])).toEqual([before]);
  });

  it('changes what is said of a key, and leaves the rest', async () => {
    const [one, two] = await store([keyOf(1, { info: 'old', contentId: 'film', expiration: inSeconds(60) }), keyOf(2)]);
    const rewrapped = { ek: 'a'.repeat(48), kekId: 'newer' };
    expect(await change(1, rewrapped)).toEqual({ ...one, ...rewrapped, lastUpdate: expect.any(String) });
    const noted = { info: '', contentId: 'another', expiration: inSeconds(120) };
    const changed = await change(1, noted);
    expect(changed).toEqual({ ...one, ...rewrapped, ...noted, lastUpdate: expect.any(String) });
    expect(await stored([1, 2])).toEqual([changed, two]);
  });

  it('changes no key that is not there', async () => {
    await store([keyOf(1, { expiration: inSeconds(-1) }), keyOf(2)]);
    await remove([2]);
    for (const number of [1, 2, 3]) expect(await change(number, { info: 'new' })).toBeUndefined();
    expect(await stored()).toEqual([]);
  });

  it('keeps both of two changes at once, and brings no key back that was removed meanwhile', async () => {
    for (let round = 0; round < 10; round += 1) {
      await store([keyOf(1)]);
      await Promise.all([change(1, { info: 'a note' }), change(1, { contentId: 'film' }), change(1, { ek: 'b'.repeat(48), kekId: 'newer' })]);
      expect(await stored([1])).toEqual([expect.objectContaining({ info: 'a note', contentId: 'film', ek: 'b'.repeat(48), kekId: 'newer' })]);
      await Promise.all([change(1, { info: 'another' }), remove([1]), change(1, { info: 'a third' })]);
      expect(await stored([1])).toEqual([]);
    }
  });

  it('refuses a kid that stands twice in one request', async () => {
    const keys = [keyOf(1), keyOf(1, { kekId: 'another' })];
    expect(await issuer.refusal(requests.storeKeys, input(keys))).toBe('invalid-request 400');
    expect(await stored()).toEqual([]);
  });

  it('takes a key whose time is over for absent, everywhere', async () => {
    await store([keyOf(1, { expiration: inSeconds(-1) }), keyOf(2)]);
    expect((await stored([1, 2])).map(({ kid }) => kid)).toEqual([kidOf(2)]);
    expect((await stored()).map(({ kid }) => kid)).toEqual([kidOf(2)]);
    expect(await remove([1])).toEqual([]);
    const [again] = await store([keyOf(1)]);
    expect(await stored([1])).toEqual([again]);
  });

  it('shows the last 32 to whoever names none, the last one first', async () => {
    for (const start of [1, 21]) await store(Array.from({ length: 20 }, (_, index) => keyOf(start + index)));
    await change(5, { info: 'new' });
    const kids = (await stored()).map(({ kid }) => kid);
    expect(kids).toHaveLength(32);
    expect(kids[0]).toBe(kidOf(5));
    expect(kids.slice(1, 21).sort()).toEqual(Array.from({ length: 20 }, (_, index) => kidOf(21 + index)).sort());
  });

  it('removes keys and says which were there', async () => {
    await store([keyOf(1), keyOf(2)]);
    expect(await remove([2, 9, 1, 2])).toEqual([kidOf(2), kidOf(1)]);
    expect(await remove([1, 2])).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it('keeps merchants apart', async () => {
    const own = await store([keyOf(1)]);
    const foreign = await store([keyOf(1, { kekId: 'theirs' })], { merchantId: 'other' });
    expect([await stored([1]), await stored([1], 'other')]).toEqual([own, foreign]);
    expect(await stored([1], 'nobody')).toEqual([]);
    expect(await remove([1], 'nobody')).toEqual([]);
    expect(await change(1, { kekId: 'newer' }, 'nobody')).toBeUndefined();
    await change(1, { kekId: 'newer' }, 'other');
    expect(await remove([1], 'other')).toEqual([kidOf(1)]);
    expect([await stored(), await stored(undefined, 'other')]).toEqual([own, []]);
  });

  it('lets one of many that store the same kid at once, whatever the order of theirs', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => issuer.bus.ask(requests.storeKeys.name, input(index % 2 ? [keyOf(1), keyOf(2)] : [keyOf(2), keyOf(1)]))),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(new Set(answers.flatMap(({ problem }) => problem?.code ?? []))).toEqual(new Set(['stored-key-exists']));
  });
});

it('forgets keys whose time is over, however many, and no others', async () => {
  await issuer.rows(`insert into stored_keys (merchant_id, kid, ek, kek_id, expires_at)
    select 'default', 'old-' || n, '', '', clock_timestamp() - interval '1 second' from generate_series(1, 2500) as n
    union all select 'default', 'young', '', '', clock_timestamp() + interval '1 hour'
    union all select 'default', 'endless', '', '', null`);
  const replica = await Issuer.start(database.url, { neighbours: issuer.neighbours });
  try {
    await eventually(async () => expect(await issuer.rows('select kid from stored_keys order by kid')).toEqual([{ kid: 'endless' }, { kid: 'young' }]));
  } finally {
    await replica.stop();
  }
});
