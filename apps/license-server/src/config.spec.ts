import { ConfigurationError, readConfiguration } from '@latchkey/service-defaults';
import { describe, expect, it } from '@jest/globals';
import { licenseServerSettings } from './config.js';

const environment = {
  DATABASE_URL: 'postgres://db/license',
  AMQP_URL: 'amqp://broker',
  LATCHKEY_KEK: `k2:${Buffer.alloc(32, 2).toString('base64')},k1:${Buffer.alloc(32, 1).toString('base64')}`,
  LATCHKEY_LICENSE_URL: 'https://play.example/v1/licenses',
};

describe('licenseServerSettings', () => {
  it('has defaults for all but the secrets and addresses', () => {
    const { keyRing, ...rest } = readConfiguration(licenseServerSettings, environment);
    expect(keyRing.primaryId).toBe('k2');
    expect(rest).toMatchObject({ port: 8081, tokenIssuer: 'latchkey', corsOrigins: new Set(['*']), revocationAgeSecondsMax: 0 });
  });

  it('reads a list of origins', () => {
    const LATCHKEY_CORS_ORIGINS = 'https://a.example, http://localhost:3000';
    expect(readConfiguration(licenseServerSettings, { ...environment, LATCHKEY_CORS_ORIGINS }).corsOrigins).toEqual(
      new Set(['https://a.example', 'http://localhost:3000']),
    );
  });

  it('tells of every problem at once, and shows no key', () => {
    const secret = Buffer.alloc(31, 9).toString('base64');
    const wrong = { ...environment, LATCHKEY_KEK: `k1:${secret}`, LATCHKEY_LICENSE_URL: 'play.example', LATCHKEY_CORS_ORIGINS: 'player.example/' };
    const read = (): unknown => readConfiguration(licenseServerSettings, wrong);
    expect(read).toThrow(ConfigurationError);
    const { problems } = (() => {
      try {
        read();
      } catch (error) {
        return error as ConfigurationError;
      }
      throw new Error('nothing was thrown');
    })();
    expect(problems).toEqual([
      expect.stringContaining('LATCHKEY_KEK entry 1: its key has 31 bytes'),
      expect.stringContaining('LATCHKEY_LICENSE_URL'),
      expect.stringContaining('LATCHKEY_CORS_ORIGINS'),
    ]);
    expect(problems.join()).not.toContain(secret);
  });
});
