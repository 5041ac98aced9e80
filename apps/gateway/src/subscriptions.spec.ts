import { describe, expect, it } from '@jest/globals';
import { merchantEventType } from '@latchkey/contracts';
import { toldToMerchants } from './subscriptions.js';

describe('what merchants are told about', () => {
  it('is what a webhook can be made for', () => {
    expect(toldToMerchants.map(({ event }) => event.type).sort()).toEqual([...merchantEventType.options].sort());
  });
});
