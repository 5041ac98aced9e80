import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { openFrontDoor } from '../src/front-door.js';

describe('the front door', () => {
  it('takes the port at once, answers 503 until it is opened, and lets requests end when it closes', async () => {
    const door = await openFrontDoor('127.0.0.1', 0);
    const early = await fetch(door.origin);
    expect([early.status, early.headers.get('retry-after'), early.headers.get('content-type')]).toEqual([503, '1', 'application/problem+json']);
    await expect(openFrontDoor('127.0.0.1', Number(new URL(door.origin).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const seen: string[] = [];
    let end: (() => void) | undefined;
    door.open((path) => (_request, response) => {
      seen.push(path);
      end = () => response.end('late');
      if (path === '/now') response.end('now');
    });
    expect(await (await fetch(`${door.origin}/now?x=/later`)).text()).toBe('now');
    const late = fetch(`${door.origin}/later`);
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = door.close();
    end!();
    expect(await (await late).text()).toBe('late');
    await closed;
    expect(seen).toEqual(['/now', '/later']);
  });

  it('closes although somebody connected and never said a word', async () => {
    const door = await openFrontDoor('127.0.0.1', 0);
    const silent = connect(Number(new URL(door.origin).port), '127.0.0.1');
    await once(silent, 'connect');
    await door.close();
    silent.destroy();
  });

  it('is reached by loopback where it listens on every interface', async () => {
    const door = await openFrontDoor('0.0.0.0', 0);
    expect(door.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await door.close();
  });
});
