import { describe, expect, it } from '@jest/globals';
import { serverSentEvent } from './server-sent-event.js';

const event = { sequence: 7, merchantId: 'default', type: 'token.issued.v1', data: '{"tokenId":"tok_1"}', purchaseId: undefined };

describe('an event on the stream', () => {
  it('has its number, its type and its data', () => {
    expect(serverSentEvent(event)).toBe('id: 7\nevent: token.issued.v1\ndata: {"tokenId":"tok_1"}\n\n');
  });

  it.each(['\n', '\r', '\r\n'])('cannot be ended early by data with a line break', (lineBreak) => {
    expect(serverSentEvent({ ...event, data: `{${lineBreak}${lineBreak}id: 99}` })).toBe('id: 7\nevent: token.issued.v1\ndata: {\ndata: \ndata: id: 99}\n\n');
  });
});
