import { describe, expect, it } from '@jest/globals';
import { PLACES, PLACES_KEPT_FOR_FAILING, PLACES_OF_FAILING, SendingPlaces } from './sending-places.js';

const fill = (places: SendingPlaces, count: number, failing: boolean): void => {
  for (let n = 0; n < count; n += 1) places.take({ webhookId: `wh_${n}`, failing });
};

describe('places', () => {
  it('are left for those who answer, however many do not', () => {
    const places = new SendingPlaces();
    fill(places, PLACES_OF_FAILING, true);
    expect(places.free(true)).toBe(0);
    expect(places.free(false)).toBe(PLACES - PLACES_OF_FAILING);
  });

  it('are kept for those who failed, however many answer', () => {
    const places = new SendingPlaces();
    fill(places, PLACES - PLACES_KEPT_FOR_FAILING, false);
    expect([places.free(true), places.free(false)]).toEqual([PLACES_KEPT_FOR_FAILING, 0]);
    fill(places, PLACES_KEPT_FOR_FAILING, true);
    expect([places.free(true), places.free(false)]).toEqual([0, 0]);
  });

  it('are counted by webhook, and given back', () => {
    const places = new SendingPlaces();
    const [one, other] = [{ webhookId: 'wh_1', failing: true }, { webhookId: 'wh_2', failing: false }];
    for (const each of [one, one, other]) places.take(each);
    expect(new Map(places.underWay)).toEqual(new Map([['wh_1', 2], ['wh_2', 1]]));
    places.give(one);
    expect(new Map(places.underWay)).toEqual(new Map([['wh_1', 1], ['wh_2', 1]]));
    for (const each of [one, other]) places.give(each);
    expect(places.underWay.size).toBe(0);
    expect([places.free(true), places.free(false)]).toEqual([PLACES_OF_FAILING, PLACES - PLACES_KEPT_FOR_FAILING]);
  });
});
