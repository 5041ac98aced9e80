import { relative } from 'node:path';
import type { RunningStandalone } from './standalone.js';

/** What `npm start` prints when everything runs: a screenful that says where things are and what to try next. */
export function welcome(running: RunningStandalone, durationMs: number): string {
  const near = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  const apiKey = running.apiKeyFile === undefined ? 'the one in LATCHKEY_BOOTSTRAP_API_KEY' : near(running.apiKeyFile);
  const rows = [
    ...(running.demoUrl === undefined ? [] : [['Demo shop', running.demoUrl]]),
    ['Gateway', running.origin],
    ['Licence server', `${running.origin}/v1/licenses`],
    ['API reference', `${running.origin}/docs`],
    ['Events', `${running.origin}/asyncapi.yaml`],
    ['Health', `${running.origin}/health/ready`],
    ['API key', apiKey],
    ['Data', `${near(running.dataDir)} (${running.database} PostgreSQL, ${running.bus} bus)`],
    ['Log', near(running.logFile)],
  ];
  const width = Math.max(...rows.map(([label]) => label!.length));
  return [
    '',
    `  Latchkey is ready (${(durationMs / 1000).toFixed(1)} s).`,
    '',
    ...rows.map(([label, value]) => `  ${label!.padEnd(width)}   ${value}`),
    '',
    '  Try next, in another terminal:',
    '',
    '    npm run demo          the whole story: cookie, device, purchase, licence, thief, refund',
    ...(running.apiKeyFile === undefined
      ? []
      : ['', `    curl -s -H "Authorization: Bearer $(cat ${apiKey})" ${running.origin}/v1/merchant`]),
    '',
    '  Ctrl-C stops it. What it accepted is kept.',
    '',
    '',
  ].join('\n');
}
