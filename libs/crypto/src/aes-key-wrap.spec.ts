import { describe, expect, it } from '@jest/globals';
import { unwrapAesKey, wrapAesKey } from './aes-key-wrap.js';

const KEK = Buffer.from('000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F', 'hex');
const DATA = Buffer.from('00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F', 'hex');

describe('AES key wrap', () => {
  it.each([
    ['4.1', 16, 16, '1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5'],
    ['4.2', 24, 16, '96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D'],
    ['4.3', 32, 16, '64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7'],
    ['4.4', 24, 24, '031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2'],
    ['4.5', 32, 24, 'A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1'],
    ['4.6', 32, 32, '28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21'],
  ])('does what RFC 3394 §%s shows', (_, kekBytes, dataBytes, wrappedHex) => {
    const kek = KEK.subarray(0, kekBytes);
    const data = DATA.subarray(0, dataBytes);
    const wrapped = Buffer.from(wrappedHex, 'hex');
    expect(wrapAesKey(kek, data)).toEqual(wrapped);
    expect(unwrapAesKey(kek, wrapped)).toEqual(data);
  });

  const wrapped = wrapAesKey(KEK, DATA);

  it('does not unwrap with any one bit changed, nor under another KEK', () => {
    for (let index = 0; index < wrapped.length; index += 1) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(unwrapAesKey(KEK, changed)).toBeUndefined();
    }
    expect(unwrapAesKey(KEK.subarray(0, 16), wrapped)).toBeUndefined();
  });

  it.each([0, 7, 8, 16, 23, 25, 39, 41])('does not unwrap %i bytes', (length) => {
    expect(unwrapAesKey(KEK, Buffer.concat([wrapped, wrapped]).subarray(0, length))).toBeUndefined();
  });

  it('refuses keys and data of other lengths', () => {
    for (const length of [0, 15, 17, 33]) {
      expect(() => wrapAesKey(Buffer.alloc(length), DATA)).toThrow(RangeError);
      expect(() => unwrapAesKey(Buffer.alloc(length), wrapped)).toThrow(RangeError);
    }
    for (const length of [0, 8, 15, 17]) expect(() => wrapAesKey(KEK, Buffer.alloc(length))).toThrow(RangeError);
  });
});
