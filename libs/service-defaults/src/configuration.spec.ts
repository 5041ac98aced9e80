import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigurationError, numberSetting, readConfiguration, setting, standardSettings } from './index.js';

const settings = {
  url: setting('THE_URL', z.string().regex(/^https:/, 'must be https'), { description: 'Where it is' }),
  secret: setting('THE_SECRET', z.string().min(8, 'is too short'), { description: 'What nobody may know', secret: true }),
  count: numberSetting('THE_COUNT', { least: 1, most: 9 }, { description: 'How many', fallback: '3' }),
};
const good = { THE_URL: 'https://x', THE_SECRET: 'long enough' };
const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfiguration(settings, environment);
    return [];
  } catch (error) {
    return (error as ConfigurationError).problems;
  }
};

describe('readConfiguration', () => {
  it('reads and parses, and falls back where a variable is not set or empty', () => {
    expect(readConfiguration(settings, { ...good, THE_COUNT: '' })).toEqual({ url: 'https://x', secret: 'long enough', count: 3 });
  });

  it('lists every problem at once', () => {
    expect(problemsOf({ THE_SECRET: 'short', THE_COUNT: 'ten' })).toEqual([
      'THE_URL is not set: Where it is',
      'THE_SECRET is too short',
      expect.stringMatching(/^THE_COUNT must be a whole number.*\(it is "ten"\)$/),
    ]);
  });

  it('never shows a secret, however wrong it is', () => {
    expect(problemsOf({ ...good, THE_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it.each(['0', '10', '-1', '1.5', '1e3', ' 1', '99999999999'])('refuses %j as a number from 1 to 9', (text) => {
    expect(problemsOf({ ...good, THE_COUNT: text }).length).toBe(1);
  });
});

describe('LATCHKEY_CHECKOUT_USERS', () => {
  const { checkoutUsers } = standardSettings(1);

  it('reads pairs of broker user and merchant', () => {
    const read = readConfiguration({ checkoutUsers }, { LATCHKEY_CHECKOUT_USERS: 'guest:default, shop:other' });
    expect([...read.checkoutUsers]).toEqual([['guest', 'default'], ['shop', 'other']]);
  });

  it.each(['guest', 'guest:', ':default', 'guest:Default', 'guest:-x', 'a:b:c', 'guest:default,guest:other'])('refuses %j', (text) => {
    expect(() => readConfiguration({ checkoutUsers }, { LATCHKEY_CHECKOUT_USERS: text })).toThrow(ConfigurationError);
  });
});

describe('the URL of a database or a broker', () => {
  const { databaseUrl, amqpUrl } = standardSettings(1);

  it.each([
    ['postgres://latchkey:p%40ss@127.0.0.1:5432/gateway', 'amqp://guest:p%40ss@127.0.0.1:5672/%2f'],
    ['postgresql:///gateway', 'amqps://broker.example'],
  ])('may be %s and %s', (database, broker) => {
    expect(readConfiguration({ databaseUrl, amqpUrl }, { DATABASE_URL: database, AMQP_URL: broker })).toEqual({ databaseUrl: database, amqpUrl: broker });
  });

  it.each([
    ['postgres://u:p@[::1/x', 'amqp://u:p@[::1/x'],
    ['postgres://u:p%zz@h/x', 'amqp://u:p%zz@h/x'],
    ['postgres://u:p@h:port/x', 'amqp://u:p@h:port/x'],
    ['http://u:p@h/x', 'http://u:p@h/x'],
  ])('may not be %s and %s, and is not shown', (database, broker) => {
    expect(() => readConfiguration({ databaseUrl, amqpUrl }, { DATABASE_URL: database, AMQP_URL: broker })).toThrow(
      new ConfigurationError(['DATABASE_URL must be a postgres:// URL', 'AMQP_URL must be an amqp:// or amqps:// URL']),
    );
  });

  it.each(['amqp://u:secret@one,amqp://u:secret@two', 'amqp://u:secret@one:5672, amqps://u:secret@two:5672', 'amqp://u:secret@one,two'])(
    'refuses the list of broker addresses %s, and says that a list is not supported',
    (broker) => {
      expect(() => readConfiguration({ amqpUrl }, { AMQP_URL: broker })).toThrow('AMQP_URL must be one address');
    },
  );

  it('takes a comma in the password of the broker', () => {
    const broker = `amqp://u:${'one,two'}@one`;
    expect(readConfiguration({ amqpUrl }, { AMQP_URL: broker })).toEqual({ amqpUrl: broker });
  });
});
