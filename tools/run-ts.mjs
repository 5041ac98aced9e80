// `node --import ./tools/run-ts.mjs file.ts` runs the workspaces' TypeScript from source: SWC compiles it as it is
// loaded, with the decorator metadata that Nest injects by (Node's own type stripping and esbuild leave that out).
// What was compiled is kept under node_modules/.cache, so that a second start neither compiles nor loads SWC.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(import.meta.dirname);
const cache = join(root, 'node_modules', '.cache', 'latchkey-ts');
const { $schema: _schema, ...options } = JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8'));
const version = JSON.parse(readFileSync(join(root, 'node_modules/@swc/core/package.json'), 'utf8')).version;
const settings = JSON.stringify([version, options]);

const isOurs = (url) => url?.startsWith('file:') && url.endsWith('.ts') && !url.includes('/node_modules/');
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Compiles one file, or takes it from the cache: one entry per file, whose last line says what it was made from. */
function compile(filename) {
  const source = readFileSync(filename, 'utf8');
  const key = `\n// ${sha256(settings, filename, source)}`;
  const entry = join(cache, `${sha256(filename).slice(0, 32)}.js`);
  if (existsSync(entry)) {
    const cached = readFileSync(entry, 'utf8');
    if (cached.endsWith(key)) return cached;
  }
  const { code } = require('@swc/core').transformSync(source, { ...options, filename, swcrc: false, configFile: false });
  keep(entry, code + key);
  return code + key;
}

/** Renamed into place, so that a process that starts at the same time never reads half a file. */
function keep(entry, text) {
  try {
    mkdirSync(cache, { recursive: true });
    const unfinished = `${entry}.${process.pid}`;
    writeFileSync(unfinished, text);
    renameSync(unfinished, entry);
  } catch (error) {
    // A clone that may not be written to is merely slower.
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOSPC'].includes(error.code)) throw error;
  }
}

/** A relative `./x.js` between sources means `./x.ts`. */
function sourceOf(specifier, parentURL) {
  if (!isOurs(parentURL) || !/^\.{1,2}\/.*\.js$/.test(specifier)) return undefined;
  const url = new URL(specifier.replace(/js$/, 'ts'), parentURL);
  return existsSync(url) ? url.href : undefined;
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const source = sourceOf(specifier, context.parentURL);
    if (source) return { url: source, format: 'module', shortCircuit: true };
    return nextResolve(specifier, { ...context, conditions: ['@latchkey/source', ...context.conditions] });
  },
  load(url, context, nextLoad) {
    if (!isOurs(url)) return nextLoad(url, context);
    return { format: 'module', source: compile(fileURLToPath(url)), shortCircuit: true };
  },
});

process.setSourceMapsEnabled(true);
enableCompileCache(join(root, 'node_modules', '.cache', 'v8'));
