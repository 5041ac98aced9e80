import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, readConfiguration, type Setting } from '@latchkey/service-defaults';
import fc from 'fast-check';
import { standaloneSettings } from '../src/config.js';
import { services } from '../src/index.js';

const SEED = 20_261_123;

/** Every setting that there is, of whichever service. The same variable may be read by several, and differently. */
const settings: readonly (readonly [string, Setting])[] = [
  ...services.map(({ messaging, settings: own }) => [messaging.service, own] as const),
  ['standalone', standaloneSettings] as const,
].flatMap(([service, own]) => Object.values(own).map((one: Setting) => [`${service}: ${one.variable}`, one] as const));

const only = (allowed: string, text: string): boolean => Array.from(text).every((character) => allowed.includes(character));
const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const visible = (text: string): boolean => Array.from(text).every((character) => character > ' ' && character < '\u007f');
const number = (text: string, value: unknown): boolean => value === Number(text) && Number.isSafeInteger(value) && only(digits, text);
const url = (text: string, ...schemes: string[]): boolean => URL.canParse(text) && schemes.includes(new URL(text).protocol) && !/\s/.test(text);
const merchant = (text: string): boolean => only(`${lower}${digits}-`, text) && text.length >= 1 && text.length <= 63 && !text.startsWith('-') && !text.endsWith('-');
const list = (text: string): string[] => text.split(',').map((part) => part.trim()).filter((part) => part !== '');

const keyRing = (text: string): boolean =>
  text.split(',').every((entry) => {
    const key = entry.trim().slice(entry.trim().indexOf(':') + 1).trim();
    return Buffer.from(key, 'base64').length === 32 && key.length === 44;
  });

/** A second reading of each variable, from what the documents say of it: whether this text may have become this value. */
const readAgain: Readonly<Record<string, (text: string, value: unknown) => boolean>> = {
  AMQP_URL: (text) => url(text, 'amqp:', 'amqps:'),
  DATABASE_URL: (text) => url(text, 'postgres:', 'postgresql:'),
  LATCHKEY_BOOTSTRAP_API_KEY: (text) => {
    const [lk, env = '', id = '', ...secret] = text.split('_');
    const alphanumeric = `${lower}${lower.toUpperCase()}${digits}`;
    const rest = secret.join('_');
    return lk === 'lk' && env !== '' && only(lower, env) && id.length >= 4 && id.length <= 32 && only(alphanumeric, id) && rest.length === 43 && only(`${alphanumeric}_-`, rest);
  },
  LATCHKEY_BOOTSTRAP_MERCHANT_ID: (text) => merchant(text),
  LATCHKEY_CHECKOUT_USERS: (text, value) =>
    list(text).every((pair) => {
      const [user = '', owner = '', ...more] = pair.split(':');
      return user !== '' && merchant(owner) && more.length === 0 && (value as Map<string, string>).get(user) === owner;
    }),
  LATCHKEY_CORS_ORIGINS: (text) => list(text).every((origin) => origin === '*' || origin.includes('://')),
  LATCHKEY_DATA_DIR: (text, value) => text !== '' && value === text,
  LATCHKEY_DEMO: (text, value) => ['on', 'off'].includes(text) && value === text,
  LATCHKEY_HOST: (text, value) => text !== '' && value === text,
  LATCHKEY_KEK: keyRing,
  LATCHKEY_WEBHOOK_KEY: keyRing,
  LATCHKEY_WEBHOOK_ALLOW_PRIVATE: (text) => ['no', 'loopback', 'yes'].includes(text),
  LATCHKEY_LICENSE_URL: (text) => url(text, 'http:', 'https:') && visible(text) && text.length <= 512 && !/[#?]/.test(text),
  LATCHKEY_PUBLIC_URL: (text) => url(text, 'http:', 'https:') && !/[#?]/.test(text),
  LATCHKEY_LOG_LEVEL: (text) => ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(text),
  LATCHKEY_TOKEN_ISSUER: (text) => visible(text) && text.length >= 1 && text.length <= 64,
};

const MARK = 'swordfish';
/** Texts that are nearly right for something, each with a mark that must not be seen again where it is a secret. */
const nearly = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer().map(String),
  fc.constantFrom('0', '1', '-1', '00', '65536', '1e3', '0x10', '999999999', '9999999999', '٣', '*', 'info', ' info', 'guest:default', '-a', 'a-'),
  fc.tuple(fc.constantFrom('postgres', 'postgresql', 'amqp', 'amqps', 'http', 'https', 'ftp', ''), fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 })).map(([scheme, one, other]) => `${scheme}://${one}${MARK}@${other}`),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.tuple(fc.constantFrom('k1', 'k2', 'K', ''), fc.uint8Array({ minLength: 30, maxLength: 34 })).map(([id, key]) => `${id}:${Buffer.from(key).toString('base64')}`),
  fc.tuple(fc.constantFrom('lk_live_abcd1234_', 'lk_LIVE_abcd1234_', 'lk_live_ab_', 'lk_'), fc.base64String({ minLength: 40, maxLength: 44 })).map(([start, end]) => `${start}${end}`),
  fc.array(fc.tuple(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 })).map((pair) => pair.join(':')), { maxLength: 3 }).map((pairs) => pairs.join(',')),
);
const texts = fc.oneof(nearly, fc.tuple(nearly, fc.constantFrom(MARK, ` ${MARK}`, `,${MARK}`, `:${MARK}`)).map((parts) => parts.join('')));

/** The problem that a text causes, or the value that it becomes; anything else but a `ConfigurationError` is thrown on. */
function outcomeOf(one: Setting, text: string): { value: unknown } | { problems: readonly string[]; message: string } {
  try {
    return { value: readConfiguration({ one }, { [one.variable]: text }).one };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { problems: error.problems, message: error.message };
  }
}

describe(`every setting (seed ${SEED})`, () => {
  it.each(settings)('takes or refuses whatever text it is given, and shows no secret: %s', (_, one) => {
    const again = readAgain[one.variable] ?? number;
    fc.assert(
      fc.property(texts, (text) => {
        if (text === '') return;
        const outcome = outcomeOf(one, text);
        if ('value' in outcome) return expect([text, again(text, outcome.value)]).toEqual([text, true]);
        expect([outcome.problems.length, outcome.problems[0]!.startsWith(`${one.variable} `)]).toEqual([1, true]);
        if (one.secret && text.includes(MARK)) expect(outcome.message).not.toContain(MARK);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('is a secret where it holds one, and only there', () => {
    const secrets = new Set(settings.filter(([, one]) => one.secret).map(([, one]) => one.variable));
    expect([...secrets].sort()).toEqual(['AMQP_URL', 'DATABASE_URL', 'LATCHKEY_BOOTSTRAP_API_KEY', 'LATCHKEY_KEK', 'LATCHKEY_TOKEN_PROVIDERS', 'LATCHKEY_WEBHOOK_KEY']);
    for (const [, one] of settings) expect([one.variable, one.secret === true]).toEqual([one.variable, secrets.has(one.variable)]);
  });
});
