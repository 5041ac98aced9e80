import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, readConfiguration, type Setting, type Settings } from '@latchkey/service-defaults';
import { services } from '../src/index.js';

/** A value that each setting without a default takes; a new setting of this kind needs a line here. */
const SAMPLES: Readonly<Record<string, string>> = {
  AMQP_URL: 'amqp://guest:guest@127.0.0.1',
  DATABASE_URL: 'postgres://user:password@127.0.0.1/database',
  LATCHKEY_KEK: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  LATCHKEY_LICENSE_URL: 'http://127.0.0.1:8080/v1/licenses',
  LATCHKEY_PUBLIC_URL: 'http://127.0.0.1:8080',
};

/** Settings that may be missing, because the service then does without what they are for. */
const OPTIONAL: readonly string[] = [
  'LATCHKEY_BOOTSTRAP_API_KEY',
  'LATCHKEY_TOKEN_PROVIDERS',
  'LATCHKEY_WEBHOOK_KEY',
];

const allOf = (settings: Settings): readonly Setting[] => Object.values(settings);
const withoutDefault = (settings: Settings): readonly Setting[] =>
  allOf(settings).filter(({ fallback }) => fallback === undefined);
const required = services.flatMap(({ messaging, settings }) =>
  withoutDefault(settings)
    .filter(({ schema }) => !schema.safeParse(undefined).success)
    .map(({ variable }) => [messaging.service, variable, settings] as const),
);

describe('every required setting', () => {
  it.each(required)('of %s stops its start when it is missing or empty: %s', (_, variable, settings) => {
    for (const missing of [undefined, '']) {
      let refused: unknown;
      try {
        readConfiguration(settings, { ...SAMPLES, [variable]: missing });
      } catch (error) {
        refused = error;
      }
      expect(refused).toBeInstanceOf(ConfigurationError);
      expect((refused as ConfigurationError).problems).toEqual([
        expect.stringMatching(new RegExp(`^${variable} is not set: `)),
      ]);
    }
  });

  it.each(services.map(({ messaging, settings }) => [messaging.service, settings] as const))(
    'is known, and no secret of %s has a default',
    (_, settings) => {
      expect(() => readConfiguration(settings, SAMPLES)).not.toThrow();
      const unset = withoutDefault(settings).map(({ variable }) => variable);
      expect(allOf(settings).filter(({ secret, fallback }) => secret && fallback).map(({ variable }) => variable)).toEqual([]);
      for (const { variable, secret, schema, fallback } of allOf(settings)) {
        const mayBeMissing = schema.safeParse(fallback).success;
        if (secret && mayBeMissing) expect(OPTIONAL).toContain(variable);
        if (secret && !mayBeMissing) expect(unset).toContain(variable);
      }
    },
  );

  it('are these', () => {
    expect([...new Set(required.map(([service, variable]) => `${service} ${variable}`))].sort()).toMatchInlineSnapshot(`
[
  "cookie AMQP_URL",
  "cookie DATABASE_URL",
  "device-registry AMQP_URL",
  "device-registry DATABASE_URL",
  "gateway AMQP_URL",
  "gateway DATABASE_URL",
  "gateway LATCHKEY_LICENSE_URL",
  "license-server AMQP_URL",
  "license-server DATABASE_URL",
  "license-server LATCHKEY_KEK",
  "license-server LATCHKEY_LICENSE_URL",
  "token-issuer AMQP_URL",
  "token-issuer DATABASE_URL",
  "token-issuer LATCHKEY_KEK",
  "token-issuer LATCHKEY_LICENSE_URL",
]
`);
  });
});
