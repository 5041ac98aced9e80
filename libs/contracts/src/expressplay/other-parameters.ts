import { contentId, timestamp } from '../vocabulary.js';
import { type CombinationRule, type ExpressPlayParameter, form, range } from './parameter.js';
import { authenticator, contentKeyParameter, cookieChecks, cookieParameter, errorFormat, kekParameter, kidChecks } from './shared-parameters.js';

const WHOLE_NUMBER = /^[0-9]{1,9}$/;

/** The largest window of records: what the reference's own example walks by. */
export const RECORDS_MAX = 200;

/** What record retrieval takes. */
export const recordParameters: readonly ExpressPlayParameter[] = [
  authenticator,
  errorFormat,
  { ...cookieParameter, meaning: 'The cookie whose latest record is wanted', required: 'never' },
  { name: 'start', place: 'parameters', meaning: 'The first record, counted from 0 in the order of registration', required: 'never', missing: -9400, checks: [form(-9400, 'a whole number', WHOLE_NUMBER)] },
  {
    name: 'length',
    place: 'parameters',
    meaning: 'How many records',
    required: 'never',
    missing: -9400,
    checks: [form(-9400, 'a whole number', WHOLE_NUMBER), range(-9400, `1 to ${RECORDS_MAX}`, (value) => Number(value) >= 1 && Number(value) <= RECORDS_MAX)],
  },
  {
    name: 'id',
    place: 'parameters',
    meaning: 'An event by its id, which older documents have: refused, because records here are those of registrations and no others',
    required: 'never',
    missing: -9400,
    checks: [{ fault: 'form', code: -9400, words: 'left out', holds: () => false }],
  },
];

/** What the parameters of record retrieval say together. */
export const recordRules: readonly CombinationRule[] = [
  { code: -9400, words: 'either a cookie or start and length', broken: (values) => values.has('cookie') && (values.has('start') || values.has('length')) },
  { code: -9400, words: 'start and length together', broken: (values) => values.has('start') !== values.has('length') },
];

const inBody = (row: ExpressPlayParameter): ExpressPlayParameter => ({ ...row, place: 'body', header: undefined });
const storedText = (name: string, meaning: string): ExpressPlayParameter => ({
  name,
  place: 'body',
  meaning,
  required: 'never',
  checks: [{ fault: 'form', code: -9400, words: 'text without control characters', holds: (value) => /^[^\p{Cc}\p{Cs}]*$/u.test(value) }, range(-9400, 'at most 1024 characters', (value) => value.length <= 1024)],
});

/** The members of a stored key that a merchant can set. */
const storedMembers: readonly ExpressPlayParameter[] = [
  { ...inBody(contentKeyParameter), name: 'k', meaning: 'The key in the clear; it is wrapped under `kek` before it is stored' },
  { name: 'ek', place: 'body', meaning: 'The key, wrapped by the merchant', required: 'never', missing: -4024, checks: [form(-4024, '48 hex digits', /^[0-9a-f]{48}$/i)] },
  storedText('kekId', 'What the merchant calls the KEK. Without it a fingerprint of it'),
  storedText('info', 'Whatever the merchant wants to keep beside it'),
  storedText('contentId', 'The content that it is the key of'),
  { name: 'expiration', place: 'body', meaning: 'When the key is of no more use: from then on it is not there, and it is removed', required: 'never', checks: [{ fault: 'form', code: -9400, words: 'a time as RFC 3339 with Z', holds: (value) => timestamp.safeParse(value).success }] },
];

/** The kids of a path. A path has room for 15 of 32 hex digits. */
const kidsInPath = (most: number): ExpressPlayParameter => ({
  name: 'kid',
  place: 'path',
  meaning: most === 1 ? 'The id of the key' : 'The ids of keys, separated by commas',
  required: 'always',
  missing: -4018,
  checks: kidChecks(most),
});

const head = [authenticator, errorFormat, kekParameter] as const;

/** What storing a key takes. */
export const storeKeyParameters: readonly ExpressPlayParameter[] = [
  ...head,
  { name: 'kid', place: 'body', meaning: 'The id of the key. Without it one is made up', required: 'never', missing: -4018, checks: kidChecks(1) },
  ...storedMembers,
];
/** What changing a stored key takes. */
export const changeKeyParameters: readonly ExpressPlayParameter[] = [...head, kidsInPath(1), ...storedMembers];
/** What reading stored keys takes. */
export const showKeysParameters: readonly ExpressPlayParameter[] = [...head, kidsInPath(32)];
/** What listing stored keys takes. */
export const listKeysParameters: readonly ExpressPlayParameter[] = head;
/** What removing stored keys takes. */
export const deleteKeysParameters: readonly ExpressPlayParameter[] = [authenticator, errorFormat, kidsInPath(32)];

const oneForm: CombinationRule = { code: -9400, words: 'either k or ek', broken: (values) => values.has('k') && values.has('ek') };
/** What the parameters of a key that is stored say together. */
export const storeKeyRules: readonly CombinationRule[] = [oneForm, { code: -4023, words: 'a kek, or ek and no k', broken: (values) => !values.has('ek') && !values.has('kek') }];
/** What the parameters of a key that is changed say together. */
export const changeKeyRules: readonly CombinationRule[] = [oneForm, { code: -4023, words: 'a kek with k', broken: (values) => values.has('k') && !values.has('kek') }];

/** What the sample entitlement server takes. */
export const entitlementParameters: readonly ExpressPlayParameter[] = [
  authenticator,
  errorFormat,
  {
    name: 'messageID',
    place: 'body',
    meaning: 'The GUID of the message, which the answer repeats',
    required: 'always',
    missing: -9400,
    checks: [form(-9400, 'a GUID', /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i)],
  },
  { name: 'version', place: 'body', meaning: 'The version of the protocol', required: 'always', missing: -9400, checks: [form(-9400, 'a whole number', WHOLE_NUMBER), range(-9400, '1 or more', (value) => Number(value) >= 1)] },
  {
    name: 'requestType',
    place: 'body',
    meaning: '1 time based, 2 registration of a device, 3 bound to a device. 1 is answered as 3, which is also what is taken where nothing is said: Latchkey issues nothing that is not bound',
    required: 'never',
    missing: -9400,
    checks: [form(-9400, 'a whole number', WHOLE_NUMBER), range(-9400, '1 to 3', (value) => Number(value) >= 1 && Number(value) <= 3)],
  },
  {
    name: 'contentID',
    place: 'body',
    meaning: 'The merchant’s id of the content',
    required: 'always',
    missing: -9400,
    checks: [{ fault: 'form', code: -9400, words: '1 to 128 of A-Z a-z 0-9 _ . : -', holds: (value) => contentId.safeParse(value).success }],
  },
  { name: 'customerCookie', place: 'body', meaning: 'The cookie of the customer’s device', required: 'always', missing: -2033, checks: cookieChecks },
];
