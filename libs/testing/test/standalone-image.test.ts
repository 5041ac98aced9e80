import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWhere, freePort, hasDocker } from '@latchkey/kits';
import { aPurchase, eventually, type Latchkey, type Purchase } from '../src/index.js';
import { BUILD_MS, buildImage } from './build-image.js';

jest.setTimeout(240_000);
const run = promisify(execFile);

/** As somebody runs the image who knows nothing of this library. */
describeWhere(hasDocker(), 'Docker', 'docker run latchkey/standalone', () => {
  let name: string;
  let latchkey: Latchkey;
  let film: Purchase;
  const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout.trim();
  const ready = () => eventually(async () => expect((await fetch(`${latchkey.gatewayUrl}/health/ready`)).status).toBe(200), { timeoutMs: 180_000, intervalMs: 200 });

  beforeAll(async () => {
    await buildImage('latchkey/standalone');
    const port = await freePort();
    name = `latchkey-standalone-${port}`;
    // 8080 may be taken on the machine of a test; that the port is the same inside and outside is what counts.
    await docker('run', '--detach', '--name', name, '--publish', `127.0.0.1:${port}:${port}`, '--env', `LATCHKEY_PORT=${port}`, 'latchkey/standalone');
    const gatewayUrl = `http://127.0.0.1:${port}`;
    latchkey = { gatewayUrl, licenseUrl: `${gatewayUrl}/v1/licenses`, apiKey: '' };
    await ready();
    latchkey = { ...latchkey, apiKey: await docker('exec', name, 'cat', '/var/lib/latchkey/secrets/api-key') };
  }, BUILD_MS);
  afterAll(() => docker('rm', '--force', '--volumes', name));

  it('works with nothing but that', async () => {
    film = await aPurchase(latchkey);
    expect((await film.license()).keys).toHaveLength(1);
  });

  it('keeps what it accepted when it is killed', async () => {
    await docker('kill', name);
    await docker('start', name);
    await ready();
    expect((await film.license()).keys).toHaveLength(1);
  });

  it('stops cleanly when it is told to, also by SIGTERM while it waits for an address', async () => {
    await docker('stop', '--time', '20', name);
    expect(await docker('inspect', name, '--format', '{{.State.ExitCode}}')).toBe('0');
    const waiting = await docker('run', '--detach', '--env', 'ADDRESS_FILE=/run/latchkey/never', 'latchkey/standalone');
    const startedMs = performance.now();
    await docker('stop', '--time', '20', waiting);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await docker('rm', '--volumes', waiting);
  });
});
