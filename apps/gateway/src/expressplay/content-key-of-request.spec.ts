import { describe, expect, it, jest } from '@jest/globals';
import { contentKeyOf } from './content-key-of-request.js';

const kek = '000102030405060708090a0b0c0d0e0f';
const key = 'a9b9033df0b9ca5447839e3d074817a0';
const ek = '5dbd06c0056b42fe0b8cf406679620c31bd619732730433d';
const nobody = jest.fn(async () => undefined);

describe('the content key of a token request', () => {
  it.each([
    ['stands there', { contentKey: key.toUpperCase() }, { key }],
    ['is unwrapped', { kek, ek: ek.toUpperCase() }, { key }],
    ['is not that of another KEK', { kek: '0'.repeat(32), ek }, { code: -4024 }],
    ['is not one that was changed on the way', { kek, ek: ek.replace('5d', '5e') }, { code: -4024 }],
    ['is missing in the store', { kek }, { code: -4019 }],
  ])('%s', async (_, values, expected) => {
    expect(await contentKeyOf(new Map(Object.entries(values)), nobody)).toEqual(expected);
  });

  it('is taken from the store where only the KEK came', async () => {
    expect(await contentKeyOf(new Map([['kek', kek]]), async () => ek)).toEqual({ key });
    nobody.mockClear();
    await contentKeyOf(new Map(Object.entries({ kek, ek })), nobody);
    expect(nobody).not.toHaveBeenCalled();
  });
});
