import { deviceIdFault, type Drm, normaliseDeviceId, vocabulary } from '@latchkey/contracts';
import type { ProviderDrm } from './token-providers.js';
import { parseJson, type RawAnswer, readRefusal, type Refused, type Unavailable } from './upstream-answer.js';

/** What a provider's record says of a cookie. */
export type RecordAnswer =
  | { readonly kind: 'device'; readonly deviceId: string }
  /** No device has redeemed a token of this cookie yet. */
  | { readonly kind: 'none' }
  /** What the record names is no device of the DRM. That is the record's fault, not that the provider is away. */
  | { readonly kind: 'unusable' }
  | Refused
  | Unavailable;

const drmOf: Readonly<Record<ProviderDrm, Drm>> = { pr: 'playready', wv: 'widevine', fp: 'fairplay' };
const deviceMembers = ['deviceId', 'deviceid', 'device_id'] as const;
const idMembers = ['event_id', 'eventId', 'id'] as const;

/**
 * Reads the answer to a question for the records of a cookie. Public documents name neither the shape nor all members, so
 * that one record, a list of them and a list in a member are all read, and of its members those whose meaning is plain.
 *
 * Of several records the first counts, as the first device does everywhere: the one with the least event id, or, where they
 * have none, the last of a list that is told newest first.
 */
export function readRecordAnswer(drm: ProviderDrm, cookie: string, answer: RawAnswer): RecordAnswer {
  if (answer.status === 204 || answer.status === 404) return { kind: 'none' };
  if (answer.status !== 200) return readRefusal(answer);
  if (answer.body.trim() === '') return { kind: 'none' };
  const value = parseJson(answer.body);
  const records = recordsOf(value);
  if (!records) return { kind: 'unavailable', why: 'malformed' };
  const named = records.filter((record) => record['cookie'] === undefined || record['cookie'] === cookie).filter((record) => deviceOf(record) !== undefined);
  const first = named.every((record) => idOf(record) !== undefined) ? named.toSorted((one, other) => idOf(one)! - idOf(other)!)[0] : named.at(-1);
  if (!first) return { kind: 'none' };
  const deviceId = deviceOf(first)!;
  // What has not the form of its DRM is no device: bound, it would keep the real one out for good.
  if (!vocabulary.deviceId.safeParse(deviceId).success || deviceIdFault(drmOf[drm], deviceId) !== undefined) return { kind: 'unusable' };
  return { kind: 'device', deviceId: normaliseDeviceId(deviceId) };
}

type RecordObject = Readonly<Record<string, unknown>>;

function recordsOf(value: unknown): RecordObject[] | undefined {
  if (Array.isArray(value)) return value.filter(isObject);
  if (!isObject(value)) return undefined;
  const list = value['records'] ?? value['events'];
  return Array.isArray(list) ? list.filter(isObject) : [value];
}

function isObject(value: unknown): value is RecordObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deviceOf(record: RecordObject): string | undefined {
  const found = deviceMembers.map((member) => record[member]).find((value) => typeof value === 'string' && value !== '');
  return found as string | undefined;
}

function idOf(record: RecordObject): number | undefined {
  const found = Number(idMembers.map((member) => record[member]).find((value) => value !== undefined) ?? Number.NaN);
  return Number.isSafeInteger(found) ? found : undefined;
}
