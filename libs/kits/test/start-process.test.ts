import { describe, expect, it } from '@jest/globals';
import { freePort, startProcess } from '../src/index.js';

const entry = 'libs/kits/test/example-server.ts';

describe('startProcess', () => {
  it('waits until the program is ready and passes on how it ended', async () => {
    const port = await freePort();
    const readyUrl = `http://127.0.0.1:${port}/`;
    const server = await startProcess({ entry, args: [String(port)], env: { GREETING: 'hello' }, readyUrl });
    expect(await (await fetch(readyUrl)).text()).toBe('ok');
    expect(server.stdout()).toBe('hello\n');
    expect(await server.stop()).toEqual({ exitCode: 3, signal: null });
  });

  it('kills at once where that is asked for', async () => {
    const port = await freePort();
    const server = await startProcess({ entry, args: [String(port)], readyUrl: `http://127.0.0.1:${port}/` });
    expect(await server.kill('SIGKILL')).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  it('says what a program printed that ended before it was ready', async () => {
    const start = startProcess({ entry: 'libs/kits/test/no-such.ts', readyUrl: 'http://127.0.0.1:9/' });
    await expect(start).rejects.toThrow(/no-such\.ts ended with 1[^]*ERR_MODULE_NOT_FOUND/);
  });
});
