// `npm run interleavings [-- project…] [--seed N] [-- jest options]`: the interleaving suites of all services in their long form
// (docs/interleavings.md). The random schedules begin at the seed, which is printed, so that a run can be repeated.
const own = process.argv.slice(2);
const end = own.includes('--') ? own.indexOf('--') : own.length;
const names = own.slice(0, end);
const at = names.indexOf('--seed');
const [, seed = String(Date.now() % 1_000_000)] = at < 0 ? [] : names.splice(at, 2);

process.env.LATCHKEY_INTERLEAVINGS = 'long';
process.env.LATCHKEY_INTERLEAVINGS_SEED = seed;
process.stdout.write(`Interleavings, long form, seed ${seed}\n`);
const projects = names.length > 0 ? names : ['outbox', 'cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'];
process.argv.splice(2, own.length, ...projects, '--', 'interleavings', ...own.slice(end + 1));
await import('./test.mjs');
