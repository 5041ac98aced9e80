import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CustomerBook } from './customer-book.js';

describe('the book of customers', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latchkey-demo-shop-'));
    file = join(folder, 'shop', 'customers.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('knows a customer again by the session alone, also after a restart, and lets nobody in who reads the file', async () => {
    const book = await CustomerBook.open(file);
    const { customer, setCookie } = await book.welcome();
    expect(setCookie).toMatch(/^latchkey_demo=[\w-]{43}; Path=\/demo; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    customer.cookies.push('a-cookie');
    await book.save();
    const pair = setCookie.split(';')[0]!;
    const again = await CustomerBook.open(file);
    expect(await again.find(`other=1; ${pair}`)).toEqual(customer);
    expect(await again.find(`${pair.slice(0, -1)}_`)).toBeUndefined();
    expect(await again.find(undefined)).toBeUndefined();
    expect(await readFile(file, 'utf8')).not.toContain(pair.split('=')[1]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('forgets the one that came first rather than growing for ever', async () => {
    const book = await CustomerBook.open(file);
    const first = await book.welcome();
    for (let n = 0; n < 500; n += 1) await book.welcome();
    const last = await book.welcome();
    expect(await book.find(first.setCookie.split(';')[0])).toBeUndefined();
    expect(await book.find(last.setCookie.split(';')[0])).toBe(last.customer);
  });

  it('does not begin anew over a book that it cannot read', async () => {
    const broken = join(folder, 'broken.json');
    await writeFile(broken, '[[');
    await expect(CustomerBook.open(broken)).rejects.toThrow();
  });
});
