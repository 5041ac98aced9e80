import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExpressPlayCode, expressPlayCodes, expressPlayEndpoints, type ExpressPlayEndpoint, type ExpressPlayParameter, Problem, requests } from '@latchkey/contracts';
import { authenticatorOf, generateApiKey, parseApiKey } from '@latchkey/crypto';
import { callEndpoint, refusalIn } from './expressplay-client.js';
import { breachOf, goodCall, sampleOf } from './expressplay-samples.js';
import { GatewayUnderTest } from './gateway-under-test.js';

const lines: string[] = [];
const gateway = new GatewayUnderTest({ LATCHKEY_FAILED_LOOKUPS_BURST: '1000000', LATCHKEY_EXPRESSPLAY_BINDING: 'pr,wv,fp' }, undefined, { write: (line) => lines.push(line) });
const { neighbours } = gateway;
const authenticator = authenticatorOf(gateway.key);
/** Whatever must be in no line of the log. */
const secrets = new Set([parseApiKey(gateway.key)!.secret, authenticator, authenticator.split(',')[1]!]);

beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

/** Every neighbour is away, which no parameter is refused with: what gets as far as that was judged to be good. */
const TAKEN = -9503;
beforeEach(() => {
  neighbours.reset();
  for (const contract of Object.values(requests)) if (typeof contract === 'object' && 'service' in contract) neighbours.refuse(contract, new Problem('unavailable'));
});

type Values = Record<string, string | undefined>;
interface Case {
  readonly name: string;
  readonly endpoint: ExpressPlayEndpoint;
  readonly method: string;
  readonly format: 'html' | 'json';
  readonly values: Values;
  readonly expected: ExpressPlayCode;
}

const formats = ['html', 'json'] as const;
const everyWay = expressPlayEndpoints.flatMap((endpoint) => endpoint.methods.flatMap((method) => formats.map((format) => ({ endpoint, method, format }))));
const rowsOf = ({ parameters }: ExpressPlayEndpoint): ExpressPlayParameter[] => parameters.filter(({ judgedByGate }) => !judgedByGate);

/** Every way in which one parameter can be wrong, as the table has them. */
function faultsOf(endpoint: ExpressPlayEndpoint, row: ExpressPlayParameter): { fault: string; value: string | undefined; expected: ExpressPlayCode }[] {
  const sample = sampleOf(endpoint, row)!;
  const isMissing = row.missing === undefined || row.place === 'path' ? [] : [{ fault: 'without a value', value: '', expected: row.missing }];
  const mustBe = row.missing !== undefined && row.place !== 'path' && row.required !== 'never' ? [{ fault: 'missing', value: undefined, expected: row.missing }] : [];
  const wrong = row.checks.flatMap((check, index) => (sample.bad[index] ?? []).map((value) => ({ fault: `${check.fault} ${JSON.stringify(value.slice(0, 40))}`, value, expected: check.code })));
  return [...mustBe, ...isMissing, ...wrong];
}

function callsOf({ endpoint, method, format }: (typeof everyWay)[number]): Case[] {
  return rowsOf(endpoint).flatMap((row) => {
    const sample = sampleOf(endpoint, row)!;
    const base: Values = { ...goodCall(endpoint), errorFormat: format, ...sample.beside };
    const one = (name: string, value: string | undefined, expected: ExpressPlayCode): Case => ({ name: `${row.name}: ${name}`, endpoint, method, format, values: { ...base, [row.name]: value }, expected });
    // A format that is none is told of in the default one.
    const inDefault = (each: Case): Case => (row.name === 'errorFormat' ? { ...each, format: each.values['errorFormat'] === 'json' ? 'json' : 'html' } : each);
    return [one('good', sample.good, TAKEN), ...faultsOf(endpoint, row).map(({ fault, value, expected }) => one(fault, value, expected))].map(inDefault);
  });
}

describe('every parameter of the table', () => {
  it('has values to be tried with, for each way in which it can be wrong', () => {
    const untried = expressPlayEndpoints.flatMap((endpoint) =>
      rowsOf(endpoint).flatMap((row) => {
        const sample = sampleOf(endpoint, row);
        // A path has no room for as many kids as would be too many.
        const unreachable = (index: number): boolean => row.checks[index]!.fault === 'capability' || (row.place === 'path' && index === 3);
        const complete = sample !== undefined && row.checks.every((_, index) => unreachable(index) || (sample.bad[index]?.length ?? 0) > 0);
        return complete ? [] : [`${endpoint.path} ${row.name}`];
      }),
    );
    expect(untried).toEqual([]);
  });

  it.each(everyWay.map((way) => [way.method, way.endpoint.path, way.format, way] as const))('is judged by %s %s, and told as %s', async (_m, _p, _f, way) => {
    const calls = callsOf(way);
    expect(calls.length).toBeGreaterThan(rowsOf(way.endpoint).length);
    for (const { name, endpoint, method, format, values, expected } of calls) {
      neighbours.asked.length = 0;
      const answer = await refusalIn(format, await callEndpoint(gateway.replica.url!, endpoint, values, { method, authenticator }));
      expect([name, answer.status, answer.code]).toEqual([name, expressPlayCodes[`${expected}`].status, expected]);
      // Nobody is asked before all is judged, and somebody is asked then.
      expect([name, neighbours.asked.length > 0]).toEqual([name, expected === TAKEN]);
      for (const value of Object.values(values)) {
        if (value === undefined || value.length < 9) continue;
        expect(answer.text).not.toContain(value);
        secrets.add(value);
      }
      expect(answer.text).not.toContain('<script');
    }
  });

  it.each(everyWay.map((way) => [way.method, way.endpoint.path, way] as const))('may stand once: %s %s', async (_m, _p, { endpoint, method, format }) => {
    if (method !== 'GET' && endpoint.body !== 'form') return;
    for (const row of rowsOf(endpoint).filter(({ place, name }) => place === 'parameters' && name !== 'errorFormat')) {
      const sample = sampleOf(endpoint, row)!;
      const good = sample.good ?? '1';
      const values = { ...goodCall(endpoint), errorFormat: format, ...sample.beside, [row.name]: good };
      const twice = { ...endpoint, path: `${endpoint.path}?${new URLSearchParams({ [row.name]: good }).toString()}` };
      const response = method === 'POST' ? await callEndpoint(gateway.replica.url!, twice, values, { method, authenticator }) : await twiceInQuery(endpoint, values, row.name, good);
      const { code } = await refusalIn(format, response);
      expect([row.name, code]).toEqual([row.name, row.checks[0]!.code]);
    }
  });

  it.each(everyWay.map((way) => [way.method, way.endpoint.path, way.format, way] as const))('keeps the rules over several with %s %s, told as %s', async (_m, _p, _f, { endpoint, method, format }) => {
    for (const rule of endpoint.rules) {
      const breach = breachOf(endpoint, rule);
      expect([rule.words, breach === undefined]).toEqual([rule.words, false]);
      const answer = await refusalIn(format, await callEndpoint(gateway.replica.url!, endpoint, { ...goodCall(endpoint), errorFormat: format, ...breach }, { method, authenticator }));
      expect([rule.words, answer.status, answer.code]).toEqual([rule.words, 400, rule.code]);
    }
    expect(neighbours.asked).toEqual([]);
  });

  it('of a body is text or a whole number, and nothing else', async () => {
    for (const endpoint of expressPlayEndpoints.filter(({ body }) => body === 'json')) {
      for (const row of rowsOf(endpoint).filter(({ place }) => place === 'body')) {
        for (const value of [{}, [], true, 1.5, 1e300]) {
          const members = Object.fromEntries(rowsOf(endpoint).filter(({ place }) => place === 'body').map(({ name }) => [name, goodCall(endpoint)[name]]));
          const response = await fetch(`${gateway.replica.url}${endpoint.path.replace('{kid}', '^kid1')}?errorFormat=json`, {
            method: endpoint.methods[0]!,
            headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
            body: JSON.stringify({ ...members, [row.name]: value }),
          });
          expect([row.name, value, (await refusalIn('json', response)).code]).toEqual([row.name, value, row.checks[0]!.code]);
        }
      }
    }
  });

  it('is in no line of the log, and neither are those who called', () => {
    expect(lines.length).toBeGreaterThan(1_000);
    expect(secrets.size).toBeGreaterThan(45);
    const log = lines.join('');
    for (const secret of secrets) expect([secret, log.includes(secret), log.includes(encodeURIComponent(secret))]).toEqual([secret, false, false]);
  });
});

function twiceInQuery({ path }: ExpressPlayEndpoint, values: Values, name: string, value: string): Promise<Response> {
  const query = new URLSearchParams(Object.entries({ customerAuthenticator: authenticator, ...values }).filter((entry): entry is [string, string] => entry[1] !== undefined));
  query.append(name, value);
  return fetch(`${gateway.replica.url}${path.replace('{kid}', '^kid1')}?${query.toString()}`);
}

describe('the authenticator', () => {
  const wrong = authenticatorOf(generateApiKey('test', parseApiKey(gateway.key)!.keyId));
  it.each(everyWay.map((way) => [way.method, way.endpoint.path, way.format, way] as const))('is asked for by %s %s, and told of as %s', async (_m, _p, _f, { endpoint, method, format }) => {
    const values = { ...goodCall(endpoint), ...(endpoint.parameters.some(({ place }) => place === 'path') ? { kid: '^kid1' } : {}), errorFormat: format };
    for (const [presented, code] of [
      [undefined, -2017],
      ['', -2017],
      ['1234,abcd', -2017],
      [gateway.key, -2017],
      [wrong, -2018],
      [authenticatorOf(generateApiKey('test')), -2018],
    ] as const) {
      const answer = await refusalIn(format, await callEndpoint(gateway.replica.url!, endpoint, values, { method, authenticator: presented }));
      expect([presented, answer.status, answer.code]).toEqual([presented, 401, code]);
    }
    expect(neighbours.asked).toEqual([]);
  });
});
