import type { CombinationRule, ExpressPlayParameter } from './parameter.js';
import { form, range } from './parameter.js';
import { authenticator, contentIdParameter, contentKeyParameter, cookieParameter, deviceIdParameter, errorFormat, kekParameter, kidParameter } from './shared-parameters.js';
import { isLifetime, readTime } from './read-time.js';

const TEN_YEARS_SECONDS = 315_360_000;
const WHOLE_NUMBER = /^[0-9]{1,10}$/;
const between = (least: number, most: number) => (value: string): boolean => Number(value) >= least && Number(value) <= most;

const ek: ExpressPlayParameter = {
  name: 'ek',
  place: 'parameters',
  meaning: 'The content key, wrapped under `kek` (RFC 3394)',
  required: 'never',
  missing: -4024,
  checks: [form(-4024, '48 hex digits', /^[0-9a-f]{48}$/i)],
};

const expirationTime: ExpressPlayParameter = {
  name: 'expirationTime',
  place: 'parameters',
  meaning: 'When the token ends. Without it, and at most, in 30 days. The token of a registration goes by its own, shorter lifetime',
  required: 'never',
  missing: -2002,
  checks: [
    form(-2002, 'a time as RFC 3339 with Z, or + and seconds', /^(?:[+ ][0-9]{1,10}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)$/),
    range(-2002, 'a time to come, within 30 days', (value, { nowMs }) => isLifetime(value, nowMs)),
  ],
};

/** A number of seconds that a licence may be used for. */
function duration(name: string, code: -6007 | -7007, least: number, meaning: string): ExpressPlayParameter {
  return {
    name,
    place: 'parameters',
    meaning,
    required: 'never',
    missing: code,
    checks: [form(code, 'a whole number', WHOLE_NUMBER), range(code, `${least} to ${TEN_YEARS_SECONDS} seconds`, between(least, TEN_YEARS_SECONDS))],
  };
}

/** `generalFlags` as Widevine and FairPlay have it. */
const noFlags: ExpressPlayParameter = {
  name: 'generalFlags',
  place: 'parameters',
  meaning: 'Flags of the licence; judged and not used',
  required: 'never',
  missing: -5003,
  checks: [form(-5003, '4 or 8 hex digits', /^(?:[0-9a-f]{4}){1,2}$/i), range(-5003, 'zeros', (value) => /^0+$/.test(value))],
};

const common = [authenticator, errorFormat, kidParameter, contentKeyParameter, kekParameter, ek, contentIdParameter];

/** What a token request for Widevine takes. */
export const widevineTokenParameters: readonly ExpressPlayParameter[] = [
  ...common,
  noFlags,
  {
    name: 'securityLevel',
    place: 'parameters',
    meaning: 'The robustness that the licence asks for; judged and not used',
    required: 'always',
    missing: -7003,
    checks: [form(-7004, 'a whole number', WHOLE_NUMBER), range(-7004, '1 to 5', between(1, 5))],
  },
  {
    name: 'hdcpOutputControl',
    place: 'parameters',
    meaning: 'The HDCP that the licence asks for; judged and not used',
    required: 'always',
    missing: -7006,
    checks: [form(-7005, 'a whole number', WHOLE_NUMBER), range(-7005, '0 to 2', between(0, 2))],
  },
  duration('licenseDuration', -7007, 1, 'A rental: seconds from the first licence, within the lifetime of the token. Without it a purchase'),
  expirationTime,
  cookieParameter,
  deviceIdParameter('wv'),
];

/** What a token request for FairPlay takes. */
export const fairPlayTokenParameters: readonly ExpressPlayParameter[] = [
  ...common,
  noFlags,
  {
    name: 'iv',
    place: 'parameters',
    meaning: 'The initialisation vector of the content; judged and not used',
    required: 'always',
    missing: -6003,
    checks: [form(-6003, '32 hex digits', /^[0-9a-f]{32}$/i)],
  },
  duration('rentalDuration', -6007, 0, 'A rental: seconds from the first licence, within the lifetime of the token. Without it, or 0, a purchase'),
  expirationTime,
  cookieParameter,
  deviceIdParameter('fp'),
];

const isRental = { when: 'rightsType is Rental', applies: (values: ReadonlyMap<string, string>) => values.get('rightsType') === 'Rental' };

/** What a token request for PlayReady takes. */
export const playReadyTokenParameters: readonly ExpressPlayParameter[] = [
  ...common,
  {
    name: 'generalFlags',
    place: 'parameters',
    meaning: 'Flags of the licence; judged and not used',
    required: 'never',
    missing: -5003,
    checks: [form(-5003, '8 hex digits', /^[0-9a-f]{8}$/i)],
  },
  {
    name: 'rightsType',
    place: 'parameters',
    meaning: 'A purchase or a rental',
    required: 'always',
    missing: -2020,
    checks: [form(-2021, 'BuyToOwn or Rental', /^(?:BuyToOwn|Rental)$/)],
  },
  {
    name: 'rental.periodEndTime',
    place: 'parameters',
    meaning: 'When the rental is over, whatever was played of it',
    required: isRental,
    missing: -2022,
    checks: [
      form(-2024, 'a time as RFC 3339 with Z, or + and seconds', /^(?:[+ ][0-9]{1,10}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)$/),
      range(-2024, 'a time to come, within ten years', (value, { nowMs }) => {
        const time = readTime(value, nowMs);
        return time !== undefined && time >= nowMs + 1000 && time <= nowMs + TEN_YEARS_SECONDS * 1000;
      }),
    ],
  },
  {
    name: 'rental.playDuration',
    place: 'parameters',
    meaning: 'Seconds from the first licence. Without it what is left until the end',
    required: 'never',
    missing: -2023,
    checks: [form(-2025, 'a whole number', WHOLE_NUMBER), range(-2025, `1 to ${TEN_YEARS_SECONDS} seconds`, between(1, TEN_YEARS_SECONDS))],
  },
  expirationTime,
  cookieParameter,
  deviceIdParameter('pr'),
];

/** What the parameters of a token request say together. */
export const tokenRules: readonly CombinationRule[] = [
  { code: -5007, words: 'only one of kek and contentKey', broken: (values) => values.has('kek') && values.has('contentKey') },
  { code: -4024, words: 'no ek without its kek', broken: (values) => values.has('ek') && !values.has('kek') },
  { code: -2005, words: 'one of contentKey, kek with ek, and kek with a stored kid', broken: (values) => !values.has('contentKey') && !values.has('kek') },
];

/** Parameters of the reference that concern a DRM's own licence: merchants send them, and they are passed over. */
export const ignoredTokenParameters = {
  wv: ['wvExtension', 'outputControlFlags', 'dtcp2OutputControl'],
  fp: ['fpExtension', 'dtcp2OutputControl'],
  pr: [
    'analogVideoOPL',
    'compressedDigitalAudioOPL',
    'compressedDigitalVideoOPL',
    'uncompressedDigitalAudioOPL',
    'uncompressedDigitalVideoOPL',
    'unknownOutputBehavior',
    'outputControlFlags',
    'extensionType',
    'extensionPayload',
  ],
} as const;
