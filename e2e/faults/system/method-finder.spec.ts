import { describe, expect, it } from '@jest/globals';
import { basicAck, basicPublish, MethodFinder } from './method-finder.js';

function frame(type: number, payload: number[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(payload.length);
  return Buffer.from([type, 0, 1, ...size, ...payload, 0xce]);
}

const preface = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const publish = frame(1, [0, 60, 0, 40, 0, 0, 1, 97, 1, 98, 1]);
const ack = frame(1, [0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
/** A body that looks like a frame that begins to publish. */
const body = frame(3, [...publish]);
const heartbeat = frame(8, []);

describe('finding a method in a stream of AMQP frames', () => {
  const stream = Buffer.concat([preface, ack, heartbeat, publish, body, heartbeat, heartbeat, publish, ack]);
  const first = preface.length + ack.length + heartbeat.length;
  const second = first + publish.length + body.length + 2 * heartbeat.length;

  it('finds each, and is not deceived by payload', () => {
    expect(new MethodFinder(basicPublish, preface.length).feed(stream)).toEqual([first, second]);
    expect(new MethodFinder(basicAck, preface.length).feed(stream)).toEqual([preface.length, stream.length - ack.length]);
  });

  it.each([1, 2, 3, 7, 8, 11, 13])('finds each when they come in chunks of %i bytes', (size) => {
    const finder = new MethodFinder(basicPublish, preface.length);
    let found = 0;
    for (let at = 0; at < stream.length; at += size) found += finder.feed(stream.subarray(at, at + size)).length;
    expect(found).toBe(2);
  });
});
