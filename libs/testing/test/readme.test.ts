import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it, jest } from '@jest/globals';
import { describeWhere, hasDocker, startProcess } from '@latchkey/kits';
import { BUILD_MS, buildImage } from './build-image.js';

jest.setTimeout(180_000);
const project = resolve(import.meta.dirname, '..');

describeWhere(hasDocker(), 'Docker', 'the README', () => {
  beforeAll(async () => void (await buildImage('latchkey/standalone')), BUILD_MS);

  it('shows a suite that runs, word for word', async () => {
    const [, example] = /```js\n(import assert[\s\S]*?)```/.exec(await readFile(join(project, 'README.md'), 'utf8'))!;
    // Where this project's packages are found, and git looks at nothing.
    const folder = join(project, 'out-spec');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'readme-example.mjs'), example!);
    const variables = ['DOCKER_HOST', 'TESTCONTAINERS_RYUK_DISABLED', 'TESTCONTAINERS_HOST_OVERRIDE'] as const;
    const env = Object.fromEntries(variables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
    const suite = await startProcess({ entry: 'libs/testing/out-spec/readme-example.mjs', env });
    const end = await suite.ended;
    const printed = suite.stdout() + suite.stderr();
    expect(printed).toMatch(/pass 2/);
    expect(printed).toMatch(/fail 0/);
    expect(end).toEqual({ exitCode: 0, signal: null });
  });
});
