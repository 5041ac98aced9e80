import { describe, expect, it } from '@jest/globals';
import { webhookUrl } from '@latchkey/contracts';
import type { Reach } from './address-rules.js';
import { addressRefusal, hostOf, urlRefusal } from './url-rules.js';

const refusal = (text: string, reach: Reach): string | undefined => urlRefusal(new URL(text), reach);
const notPublic = 'must not be an address that is not public';

describe('the URL of a webhook', () => {
  it.each([
    ['2130706433'], ['0x7f000001'], ['0x7f.1'], ['0177.0.0.1'], ['127.1'], ['127.0.0.1.'], ['%31%32%37.0.0.1'], ['[::1]'], ['[::ffff:127.0.0.1]'], ['[0:0:0:0:0:0:0:1]'],
    ['10.0.0.1'], ['192.168.0.1:8443'], ['169.254.169.254'], ['[::ffff:a9fe:a9fe]'], ['0'], ['0.0.0.0'], ['[::]'], ['[fe80::1]'], ['[64:ff9b::7f00:1]'],
  ])('is refused where its host is an address that is not public, however it is written: %s', (host) => {
    expect(webhookUrl.safeParse(`https://${host}/hook`).success).toBe(true);
    expect(refusal(`https://${host}/hook`, 'no')).toBe(notPublic);
  });

  it('may be any name, and any address that is public', () => {
    for (const host of ['shop.example', 'localhost', 'shop.example.', '93.184.215.14', '[2606:4700::1]:8443']) expect(refusal(`https://${host}/`, 'no')).toBeUndefined();
  });

  it('is https, unless it may stay near', () => {
    expect(refusal('http://shop.example/', 'no')).toBe('must be an https URL');
    expect(refusal('http://shop.internal/', 'loopback')).toBeUndefined();
    expect(refusal('http://127.0.0.1:9000/', 'loopback')).toBeUndefined();
    expect(refusal('http://10.0.0.1/', 'loopback')).toBe(notPublic);
    expect(refusal('http://10.0.0.1/', 'yes')).toBeUndefined();
    expect(refusal('http://93.184.215.14/', 'yes')).toBe('must be an https URL');
    expect(refusal('http://169.254.169.254/', 'yes')).toBe(notPublic);
  });

  it('has its host without brackets, as sockets take it', () => {
    expect(hostOf(new URL('https://[::1]:8443/'))).toBe('::1');
    expect(hostOf(new URL('https://shop.example/'))).toBe('shop.example');
  });
});

describe('the addresses behind a URL', () => {
  const [https, http] = [new URL('https://shop.example/'), new URL('http://shop.example/')];

  it('have to be allowed all', () => {
    expect(addressRefusal(https, ['93.184.215.14', '2606:4700::1'], 'no')).toBeUndefined();
    expect(addressRefusal(https, ['93.184.215.14', '10.0.0.1'], 'no')).toBe('address-refused');
    expect(addressRefusal(https, ['127.0.0.1', '10.0.0.1'], 'loopback')).toBe('address-refused');
    expect(addressRefusal(https, ['127.0.0.1', '10.0.0.1'], 'yes')).toBeUndefined();
    expect(addressRefusal(https, [], 'yes')).toBe('address-refused');
  });

  it('are not public where the URL is plain http', () => {
    expect(addressRefusal(http, ['10.0.0.1'], 'yes')).toBeUndefined();
    expect(addressRefusal(http, ['10.0.0.1', '93.184.215.14'], 'yes')).toBe('insecure-refused');
    expect(addressRefusal(https, ['10.0.0.1', '93.184.215.14'], 'yes')).toBeUndefined();
  });
});
