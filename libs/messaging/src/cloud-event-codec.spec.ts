import { describe, expect, it } from '@jest/globals';
import { type CloudEvent, MESSAGE_BYTES_MAX } from '@latchkey/contracts';
import type { RawMessage } from './broker.js';
import { readMessage, toMessage } from './cloud-event-codec.js';

const event: CloudEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/checkout',
  type: 'purchase.completed.v1',
  time: '2026-11-23T12:00:00Z',
  correlationid: 'act-1',
  data: { purchaseId: 'p', name: 'ä' },
};

function raw(change: Partial<RawMessage> = {}): RawMessage {
  const { body, contentType, headers } = toMessage(event);
  return { body, contentType, headers, exchange: 'latchkey.events', routingKey: event.type, publisher: undefined, attempt: 1, redelivered: false, ...change };
}
const structured = (value: unknown): RawMessage =>
  raw({ headers: {}, contentType: 'application/cloudevents+json; charset=utf-8', body: Buffer.from(JSON.stringify(value)) });
const inBase64 = (text: string, more: Record<string, unknown> = {}): RawMessage =>
  structured({ ...event, ...more, data: undefined, data_base64: Buffer.from(text).toString('base64') });
const without = (name: string): Record<string, unknown> => Object.fromEntries(Object.entries(raw().headers).filter(([key]) => key !== name));

describe('readMessage', () => {
  it('reads what toMessage writes', () => {
    expect(readMessage(raw())).toEqual({ ok: true, event });
  });

  it('reads binary mode with the other prefix of the binding', () => {
    const headers = Object.fromEntries(Object.entries(raw().headers).map(([name, value]) => [name.replace('_', ':'), value]));
    expect(readMessage(raw({ headers }))).toEqual({ ok: true, event });
  });

  it('reads structured mode', () => {
    expect(readMessage(structured(event))).toEqual({ ok: true, event });
  });

  it.each([undefined, 'application/json', 'application/vnd.shop+json; charset=utf-8'])('reads structured mode with its data in base64, called %s', (datacontenttype) => {
    expect(readMessage(inBase64(JSON.stringify(event.data), { datacontenttype }))).toEqual({ ok: true, event });
  });

  it('takes a message without content type for JSON, and ignores extensions that it does not know', () => {
    const message = raw({ contentType: undefined, headers: { ...raw().headers, cloudEvents_partitionkey: 'x', 'x-death': [] } });
    expect(readMessage(message)).toEqual({ ok: true, event });
  });

  it.each<[string, RawMessage, RegExp]>([
    ['no attributes', raw({ headers: {} }), /no CloudEvents/],
    ['no id', raw({ headers: without('cloudEvents_id') }), /: id$/],
    ['no source', raw({ headers: without('cloudEvents_source') }), /: source$/],
    ['another version', raw({ headers: { ...raw().headers, cloudEvents_specversion: '0.3' } }), /: specversion$/],
    ['an id that is a number', raw({ headers: { ...raw().headers, cloudEvents_id: 7 } }), /: id$/],
    ['an id with U+0000', raw({ headers: { ...raw().headers, cloudEvents_id: 'a\u0000' } }), /: id$/],
    ['a source with half a character', structured({ ...event, source: '\ud800' }), /: source$/],
    ['an empty id', raw({ headers: { ...raw().headers, cloudEvents_id: '' } }), /: id$/],
    ['a time that is none', raw({ headers: { ...raw().headers, cloudEvents_time: 'soon' } }), /: time$/],
    ['two ids', raw({ headers: { ...raw().headers, 'cloudEvents:id': 'other' } }), /stands twice/],
    ['a body that is no JSON', raw({ body: Buffer.from('{') }), /not JSON/],
    ['a body that is no UTF-8', raw({ body: Buffer.from([0x22, 0xff, 0x22]) }), /not JSON/],
    ['an empty body', raw({ body: Buffer.alloc(0) }), /not JSON/],
    ['a body over the limit', raw({ body: Buffer.alloc(MESSAGE_BYTES_MAX + 1, 0x20) }), /256 KiB/],
    ['XML', raw({ contentType: 'application/xml' }), /content type/],
    ['a structured event that is a list', structured([event]), /not a JSON object/],
    ['a structured event whose base64 is no JSON', inBase64('{'), /data is not JSON/],
    ['a structured event whose base64 is no UTF-8', structured({ ...event, data: undefined, data_base64: 'Iv8i' }), /data is not JSON/],
    ['a structured event whose base64 is something else', inBase64('<a/>', { datacontenttype: 'application/xml' }), /data is not JSON/],
    ['a structured event whose kind of data is no text', inBase64('{}', { datacontenttype: 7 }), /data is not JSON/],
    ['a structured event whose base64 has a space', structured({ ...event, data: undefined, data_base64: 'e3 0=' }), /not base64/],
    ['a structured event whose base64 lacks its padding', structured({ ...event, data: undefined, data_base64: 'e30' }), /not base64/],
    ['a structured event whose base64 ends in stray bits', structured({ ...event, data: undefined, data_base64: 'e31=' }), /not base64/],
    ['a structured event whose base64 is no text', structured({ ...event, data: undefined, data_base64: null }), /not base64/],
    ['a structured event with its data in both forms', structured({ ...event, data_base64: 'e30=' }), /twice/],
  ])('says why it cannot read %s', (_, message, reason) => {
    expect(readMessage(message)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('survives JSON that is nested very deeply', () => {
    const body = Buffer.from('['.repeat(100_000) + ']'.repeat(100_000));
    expect(readMessage(raw({ body })).ok).toBeDefined();
  });
});

describe('toMessage', () => {
  it('refuses to write what nobody would read', () => {
    expect(() => toMessage({ ...event, data: 'x'.repeat(MESSAGE_BYTES_MAX) })).toThrow(RangeError);
  });
});
