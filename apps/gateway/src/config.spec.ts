import { describe, expect, it } from '@jest/globals';
import { readConfiguration } from '@latchkey/service-defaults';
import { gatewaySettings } from './config.js';

const needed = { DATABASE_URL: 'postgres://h/d', AMQP_URL: 'amqp://h', LATCHKEY_LICENSE_URL: 'http://127.0.0.1:8081/v1/licenses' };
const bindingOf = (text: string) => readConfiguration(gatewaySettings, { ...needed, LATCHKEY_EXPRESSPLAY_BINDING: text }).expressPlayBinding;

describe('the DRMs whose tokens are bound to devices', () => {
  it.each([
    ['', ['pr']],
    ['pr', ['pr']],
    ['wv, pr', ['wv', 'pr']],
    ['fp,wv,pr', ['fp', 'wv', 'pr']],
    ['none', []],
  ])('are, for %j, %j', (text, drms) => {
    expect(bindingOf(text)).toEqual(drms);
  });

  it.each(['xx', 'pr,pr', 'pr,', 'none,pr', 'PR'])('are never %j', (text) => {
    expect(() => bindingOf(text)).toThrow('LATCHKEY_EXPRESSPLAY_BINDING');
  });
});
