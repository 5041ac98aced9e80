import type { CombinationRule, ExpressPlayEndpoint, ExpressPlayParameter } from '@latchkey/contracts';

/** Values of one parameter. */
export interface ParameterSample {
  /** One that is taken; none where nothing is. */
  readonly good: string | undefined;
  /** For each check of the table, in its order, values that fail that one first. Capabilities have none: it is not the value. */
  readonly bad: readonly (readonly string[])[];
  /** What the call has to say beside it, or (as undefined) to leave out. */
  readonly beside?: Readonly<Record<string, string | undefined>>;
}

const kid = '0123456789abcdef0123456789abcdef';
const hex = 'a9b9033df0b9ca5447839e3d074817a0';
const kek = '000102030405060708090a0b0c0d0e0f';
const ek = '5dbd06c0056b42fe0b8cf406679620c31bd619732730433d';
const notHex32 = ['ZZ'.repeat(16), `${hex}00`, hex.slice(1), `<b>${hex}</b>`];

const wholeNumbers = ['1.5', 'fivefold', '-1', '0x10'];
const time = [['tomorrow-or-so', '60seconds', '2026-11-23T12:00:00+01:00'], ['+0', '2020-01-01T00:00:00Z', '2026-02-30T12:00:00Z']];
const manyKids = Array.from({ length: 33 }, (_, index) => `${index}`.padStart(32, '0')).join(',');

/** By the name of a parameter, or by `<endpoint>.<name>` where it is another there, or by `<endpoint>.<drm>.<name>`. */
const samples: Readonly<Record<string, ParameterSample>> = {
  errorFormat: { good: 'json', bad: [['xml-format', 'JSON', '"><script>alert(1)</script>']] },
  kid: { good: '^kid1', bad: [[`${kid}0`, 'some-kid', '<script>kid</script>'], ['^', '^line\nbreak'], [`^${'k'.repeat(65)}`]] },
  'rights.kid': { good: `${kid},^kid1`, bad: [[`${kid},`, 'some-kid'], ['^', `${kid},^\u0007bell`], [`^${'k'.repeat(65)}`], [manyKids]] },
  'showKeys.kid': { good: `${kid},^kid1`, bad: [['some-kid'], [`${kid},^`], [`^${'k'.repeat(65)}`], []] },
  'deleteKeys.kid': { good: `${kid},^kid1`, bad: [['some-kid'], [`${kid},^`], [`^${'k'.repeat(65)}`], []] },
  contentKey: { good: hex, bad: [notHex32] },
  kek: { good: kek, bad: [notHex32], beside: { contentKey: undefined, ek } },
  ek: { good: ek, bad: [[hex, `${ek}00`, 'ZZ'.repeat(24)]], beside: { contentKey: undefined, kek } },
  contentId: { good: 'film-42', bad: [['<b>film</b>', 'f'.repeat(129), 'a film']] },
  generalFlags: { good: '0000', bad: [['zero-flags', '00000'], ['0001', '00000001']] },
  'token.pr.generalFlags': { good: '00000001', bad: [['0000', 'flags-of-it']] },
  securityLevel: { good: '1', bad: [wholeNumbers, ['0', '6']] },
  hdcpOutputControl: { good: '0', bad: [wholeNumbers, ['3']] },
  licenseDuration: { good: '3600', bad: [wholeNumbers, ['0', '315360001']] },
  rentalDuration: { good: '0', bad: [wholeNumbers, ['315360001']] },
  iv: { good: hex, bad: [notHex32] },
  rightsType: { good: 'BuyToOwn', bad: [['buytoown', 'Subscription']] },
  'rental.periodEndTime': { good: '+3600', bad: [time[0]!, [...time[1]!, '+315360001']], beside: { rightsType: 'Rental' } },
  'rental.playDuration': { good: '60', bad: [wholeNumbers, ['0', '315360001']], beside: { rightsType: 'Rental', 'rental.periodEndTime': '+3600' } },
  expirationTime: { good: ' 60', bad: [time[0]!, [...time[1]!, '+2592061']] },
  cookie: { good: 'bis.cuit~1:2@3+4/5=', bad: [['a cookie', '<i>biscuit</i>', 'bis;cuit'], ['c'.repeat(33)]] },
  deviceId: { good: 'android-device', bad: [['a device id', 'd'.repeat(129)]] },
  'token.pr.deviceId': { good: hex.toUpperCase(), bad: [notHex32] },
  'token.fp.deviceId': { good: `${hex}01234567`, bad: [[hex, 'ZZ'.repeat(20)]] },
  'rights.pr.deviceId': { good: hex.toUpperCase(), bad: [notHex32] },
  'rights.fp.deviceId': { good: `${hex}01234567`, bad: [[hex, 'ZZ'.repeat(20)]] },
  ExpressPlayToken: { good: 'head.token-of-a-player.signature', bad: [['a token', 'tok\u00e9n'], ['t'.repeat(6145)]] },
  confidence: { good: 'hardware', bad: [['Hardware', 'rather sure']] },
  start: { good: '0', bad: [wholeNumbers], beside: { length: '200' } },
  length: { good: '1', bad: [wholeNumbers, ['0', '201']], beside: { start: '32' } },
  id: { good: undefined, bad: [['17']] },
  'storeKey.kek': { good: kek, bad: [notHex32], beside: { ek: undefined } },
  'changeKey.kek': { good: kek, bad: [notHex32] },
  'showKeys.kek': { good: kek, bad: [notHex32] },
  'listKeys.kek': { good: kek, bad: [notHex32] },
  k: { good: hex, bad: [notHex32], beside: { kek, ek: undefined } },
  'storeKey.ek': { good: ek, bad: [[hex, 'ZZ'.repeat(24)]] },
  'changeKey.ek': { good: ek, bad: [[hex, 'ZZ'.repeat(24)]] },
  kekId: { good: 'my kek', bad: [['two\nlines'], ['x'.repeat(1025)]] },
  info: { good: '', bad: [['two\nlines'], ['x'.repeat(1025)]] },
  'storeKey.contentId': { good: 'urn:film', bad: [['two\nlines'], ['x'.repeat(1025)]] },
  'changeKey.contentId': { good: 'urn:film', bad: [['two\nlines'], ['x'.repeat(1025)]] },
  expiration: { good: '2030-01-01T00:00:00Z', bad: [['tomorrow-or-so', '+60']] },
  messageID: { good: '{6B29FC40-CA47-1067-B31D-00DD010662DA}', bad: [['message-1', '6B29FC40']] },
  version: { good: '1', bad: [wholeNumbers, ['0']] },
  requestType: { good: '3', bad: [wholeNumbers, ['0', '4']] },
  contentID: { good: 'film-42', bad: [['<b>film</b>', 'a film']] },
  customerCookie: { good: 'biscuit', bad: [['a cookie', 'bis;cuit'], ['c'.repeat(33)]] },
};

/** What else a good call of an endpoint says, beside what it always must. */
const besides: Readonly<Record<string, Readonly<Record<string, string>>>> = { token: { contentKey: hex }, storeKey: { ek } };

/** By the endpoint and the words of each rule over several parameters: a good call that is changed so that it breaks the rule. */
const breaches: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  'token: only one of kek and contentKey': { kek },
  'token: no ek without its kek': { ek },
  'token: one of contentKey, kek with ek, and kek with a stored kid': { contentKey: undefined },
  'records: either a cookie or start and length': { cookie: 'biscuit', start: '0', length: '1' },
  'records: start and length together': { start: '0' },
  'storeKey: either k or ek': { k: hex, kek },
  'storeKey: a kek, or ek and no k': { ek: undefined, k: hex },
  'changeKey: either k or ek': { k: hex, ek, kek },
  'changeKey: a kek with k': { k: hex },
};

/** How a rule over several parameters is broken; undefined where somebody forgot to write it. */
export function breachOf({ id }: ExpressPlayEndpoint, { words }: CombinationRule): Readonly<Record<string, string | undefined>> | undefined {
  return breaches[`${id}: ${words}`];
}

/** Values for a parameter of an endpoint; undefined where somebody forgot to write some. */
export function sampleOf({ id, drm }: ExpressPlayEndpoint, { name }: ExpressPlayParameter): ParameterSample | undefined {
  return samples[`${id}.${drm}.${name}`] ?? samples[`${id}.${name}`] ?? samples[name];
}

/** A good call of an endpoint, with what must be there and no more. */
export function goodCall(endpoint: ExpressPlayEndpoint): Record<string, string | undefined> {
  const always = endpoint.parameters.filter(({ required, judgedByGate }) => required === 'always' && !judgedByGate);
  return { ...Object.fromEntries(always.map((row) => [row.name, sampleOf(endpoint, row)?.good])), ...besides[endpoint.id] };
}
