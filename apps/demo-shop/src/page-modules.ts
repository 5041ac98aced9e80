import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths of modules: nothing that leaves its folder. */
const PATH = /^(?:[a-z0-9-]+\/)*[a-z0-9-]+\.js$/;

/**
 * The page's own modules and those of the device SDK, as browsers load them: each by itself, without a bundler. Built, they
 * are served as they lie in `dist`; from source, their types are taken away as they are asked for.
 */
export class PageModules {
  private readonly served = new Map<string, Promise<string | undefined>>();
  private readonly folders: Readonly<Record<string, string>> = {
    page: join(import.meta.dirname, 'page'),
    'device-sdk': dirname(fileURLToPath(import.meta.resolve('@latchkey/device-sdk'))),
  };
  private readonly ending = extname(import.meta.filename);

  /** The JavaScript of a module, by folder and path; undefined where there is none. */
  read(folder: 'page' | 'device-sdk', path: string): Promise<string | undefined> {
    if (!PATH.test(path)) return Promise.resolve(undefined);
    const file = join(this.folders[folder]!, path.replace(/\.js$/, this.ending));
    const known = this.served.get(file) ?? this.load(file);
    this.served.set(file, known);
    // What is missing is asked for by nobody but the curious, whose paths are not kept.
    return known.finally(async () => (await known.catch(() => undefined)) ?? this.served.delete(file));
  }

  private async load(file: string): Promise<string | undefined> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined || this.ending === '.js') return text;
    // Only where the compiler is there anyway: built, nothing needs it.
    const { transform } = await import('@swc/core');
    return (await transform(text, { swcrc: false, configFile: false, filename: file, jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } })).code;
  }
}
