import 'reflect-metadata';
import { runRewrap } from './run-rewrap.js';

process.exitCode = await runRewrap(process.env, { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) });
