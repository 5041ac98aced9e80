import { describe, expect, it } from '@jest/globals';
import { readRecordAnswer } from './upstream-record.js';

const A = 'ab'.repeat(16);
const B = 'cd'.repeat(16);
const read = (value: unknown, status = 200) => readRecordAnswer('pr', 'cookie-1', { status, body: typeof value === 'string' ? value : JSON.stringify(value) });
const device = (deviceId: string) => ({ kind: 'device', deviceId });

describe('a record', () => {
  it.each<[string, unknown, object]>([
    ['that is one object', { event_id: 7, cookie: 'cookie-1', deviceId: A }, device(A)],
    ['in a list', [{ device_id: A }], device(A)],
    ['in a member', { records: [{ cookie: 'cookie-1', deviceId: A.toUpperCase() }] }, device(A)],
    ['of several, the first by its event', [{ event_id: 9, deviceId: B }, { event_id: 3, deviceId: A }, { event_id: 10, deviceId: B }], device(A)],
    ['of several without events, the oldest', [{ deviceId: B }, { deviceId: A }], device(A)],
    ['beside one without a device', [{ event_id: 1, cookie: 'cookie-1' }, { event_id: 2, deviceId: A }], device(A)],
    ['of another cookie', [{ cookie: 'cookie-2', deviceId: A }], { kind: 'none' }],
    ['that is none yet', [], { kind: 'none' }],
    ['of nothing', {}, { kind: 'none' }],
    ['that is empty', '', { kind: 'none' }],
    ['that is HTML', '<html>', { kind: 'unavailable', why: 'malformed' }],
    ['that is a number', '7', { kind: 'unavailable', why: 'malformed' }],
    ['whose device has not the form of its DRM', { deviceId: 'abc' }, { kind: 'unusable' }],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it.each([
    [404, { kind: 'none' }],
    [204, { kind: 'none' }],
    [401, { kind: 'refused', status: 401, code: -2017 }],
    [503, { kind: 'unavailable', why: 'status', status: 503 }],
  ])('that is answered with %s', (status, expected) => {
    expect(read('{"errorCode":-2017}', status)).toEqual(expected);
  });
});
