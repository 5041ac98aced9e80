import { deviceId, statedConfidence } from '../vocabulary.js';
import { type ExpressPlayParameter, form, type ParameterCheck, range } from './parameter.js';

/** The DRMs of the surface, as its paths name them. */
export const expressPlayDrms = ['wv', 'pr', 'fp'] as const;
/** A DRM of the surface, as its paths name it. */
export type ExpressPlayDrm = (typeof expressPlayDrms)[number];

/** Who calls. It may stand in the query, in a form, or be left out for `Authorization: Bearer <API key>`. */
export const authenticator: ExpressPlayParameter = {
  name: 'customerAuthenticator',
  place: 'parameters',
  meaning: 'Who calls: the id of an API key, a comma, and the hex of its secret. `Authorization: Bearer` with the whole key does as well',
  required: { when: 'there is no Authorization: Bearer', applies: () => true },
  missing: -2017,
  checks: [
    form(-2017, 'a key id, a comma and 86 lower-case hex digits', /^[A-Za-z0-9]{4,32},(?:[0-9a-f]{2}){43}$/),
    { fault: 'range', code: -2018, words: 'that of a live key with the scope of the call', holds: () => true },
  ],
  judgedByGate: true,
};

/** How refusals are told. */
export const errorFormat: ExpressPlayParameter = {
  name: 'errorFormat',
  place: 'parameters',
  meaning: 'How refusals are told: `html`, which is the default, or `json`',
  required: 'never',
  missing: -3004,
  checks: [form(-3004, 'html or json', /^(?:html|json)$/)],
};

/** A string that stands for a kid: it is hashed, so any text will do that arrived whole. */
const KID_STRING = /^\^[^\p{Cc}\p{Cs}\uFFFD]+$/u;
const KID_STRING_LENGTH_MAX = 64;

/** How one kid is written, or several separated by commas. */
export function kidChecks(most: number): ParameterCheck[] {
  const every = (holds: (kid: string) => boolean) => (value: string): boolean => (most === 1 ? [value] : value.split(',')).every(holds);
  return [
    { fault: 'form', code: -4020, words: '32 hex digits, or ^ and a string', holds: every((kid) => kid.startsWith('^') || /^[0-9a-f]{32}$/i.test(kid)) },
    { fault: 'form', code: -4022, words: 'after ^ at least one character, and none of control', holds: every((kid) => !kid.startsWith('^') || KID_STRING.test(kid)) },
    range(-4021, `at most ${KID_STRING_LENGTH_MAX} characters after ^`, every((kid) => !kid.startsWith('^') || [...kid].length <= KID_STRING_LENGTH_MAX + 1)),
    ...(most === 1 ? [] : [range(-4022, `at most ${most} kids`, (value) => value.split(',').length <= most)]),
  ];
}

/** The kid of a token request. */
export const kidParameter: ExpressPlayParameter = {
  name: 'kid',
  place: 'parameters',
  meaning: 'The id of the content key. `^` and a string stand for the first 16 bytes of the string’s SHA-1',
  required: 'always',
  missing: -4018,
  checks: kidChecks(1),
};

/** A content key in the clear. */
export const contentKeyParameter: ExpressPlayParameter = {
  name: 'contentKey',
  place: 'parameters',
  meaning: 'The content key',
  required: 'never',
  missing: -2005,
  checks: [form(-2027, '32 hex digits', /^[0-9a-f]{32}$/i)],
};

/** A key encryption key, which is used and forgotten. */
export const kekParameter: ExpressPlayParameter = {
  name: 'kek',
  place: 'parameters',
  meaning: 'The key under which content keys are wrapped. It is used for this call and never stored',
  required: 'never',
  missing: -4023,
  checks: [form(-4023, '32 hex digits', /^[0-9a-f]{32}$/i)],
};

/** The merchant's id of a content. */
export const contentIdParameter: ExpressPlayParameter = {
  name: 'contentId',
  place: 'parameters',
  meaning: 'The merchant’s id of the content. Without it `kid:` and the kid',
  required: 'never',
  checks: [form(-9400, '1 to 128 of A-Z a-z 0-9 _ . : -', /^[A-Za-z0-9_.:-]{1,128}$/)],
};

/** How a cookie is written; the merchant makes it up. */
export const cookieChecks: readonly ParameterCheck[] = [
  form(-2033, 'of A-Z a-z 0-9 . _ ~ : @ + / = -', /^[A-Za-z0-9._~:@+/=-]+$/),
  range(-2033, 'at most 32 characters', (value) => value.length <= 32),
];

/** The cookie of a token request. */
export const cookieParameter: ExpressPlayParameter = {
  name: 'cookie',
  header: 'x-latchkey-cookie',
  place: 'parameters',
  meaning: 'What ties the device to the customer; the merchant makes it up. Latchkey issues nothing that is bound to none',
  required: 'always',
  missing: -2033,
  checks: cookieChecks,
};

const formsOfDeviceIds: Readonly<Record<ExpressPlayDrm, ParameterCheck>> = {
  pr: form(-5004, '32 hex digits', /^[0-9a-f]{32}$/i),
  fp: form(-5005, '40 hex digits', /^[0-9a-f]{40}$/i),
  wv: { fault: 'form', code: -5005, words: '1 to 128 visible ASCII characters', holds: (value) => deviceId.safeParse(value).success },
};

const notBound: Readonly<Record<ExpressPlayDrm, -5005 | -6008 | -7002>> = { pr: -5005, fp: -6008, wv: -7002 };

/** The device that a token is bound to. Without it the token registers one. */
export function deviceIdParameter(drm: ExpressPlayDrm): ExpressPlayParameter {
  return {
    name: 'deviceId',
    aliases: ['deviceid'],
    place: 'parameters',
    meaning: 'The device that the token is bound to, which must be the one of the cookie. Without it the token registers a device: the dummy token',
    required: 'never',
    missing: -5005,
    checks: [
      formsOfDeviceIds[drm],
      { fault: 'capability', code: notBound[drm], words: 'left out where LATCHKEY_EXPRESSPLAY_BINDING does not name the DRM', holds: (_, { bindsDevices }) => bindsDevices },
    ],
  };
}

/** What the merchant's licence server states at a redemption. */
export function redemptionParameters(drm: ExpressPlayDrm): readonly ExpressPlayParameter[] {
  return [
    authenticator,
    errorFormat,
    {
      name: 'ExpressPlayToken',
      header: 'expressplaytoken',
      place: 'parameters',
      meaning: 'The token that the player brought',
      required: 'always',
      missing: -4010,
      checks: [form(-4010, 'visible ASCII characters', /^[\x21-\x7e]+$/), range(-4010, 'at most 6144 characters', (value) => value.length <= 6144)],
    },
    {
      name: 'deviceId',
      aliases: ['deviceid'],
      place: 'parameters',
      meaning: 'The id that the DRM has for the device that the licence server answers',
      required: 'always',
      missing: -5005,
      checks: [formsOfDeviceIds[drm]],
    },
    { name: 'kid', place: 'parameters', meaning: 'The kids that the licence is for, separated by commas. Without it all of the token’s', required: 'never', missing: -4018, checks: kidChecks(32) },
    {
      name: 'confidence',
      place: 'parameters',
      meaning: 'How sure the licence server is of the device id; kept with the binding of a registration',
      required: 'never',
      missing: -9400,
      checks: [{ fault: 'form', code: -9400, words: 'hardware, software or unknown', holds: (value) => statedConfidence.safeParse(value).success }],
    },
  ];
}
