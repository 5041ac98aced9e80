import { describe, expect, it } from '@jest/globals';
import { errorCodes, events } from '@latchkey/contracts';
import { messagingGraph } from './generated/messaging-graph.js';
import { configurationPage, errorsPage, eventsPage } from './reference-pages.js';

const lineWith = (page: string, start: string): string | undefined => page.split('\n').find((line) => line.startsWith(start));

describe('the page of error codes', () => {
  it('has one line for every code', () => {
    const page = errorsPage();
    for (const code of Object.keys(errorCodes)) expect(page.split('\n').filter((line) => line.startsWith(`| \`${code}\` |`))).toHaveLength(1);
  });

  it('says with which statuses, whether to repeat, and where', () => {
    const page = errorsPage();
    expect(lineWith(page, '| `device-not-registered`')).toBe('| `device-not-registered` | 404, 409 | No device is bound to the cookie yet | yes | showDeviceRecord, createToken |');
    expect(lineWith(page, '| `rate-limited`')).toContain('| every call with an API key |');
    expect(lineWith(page, '| `internal`')).toContain('| every call |');
    expect(lineWith(page, '| `method-not-allowed`')).toContain('| what is none of the calls |');
  });
});

describe('the page of events', () => {
  it('has every event, who says and hears it, and who uses which field', () => {
    const page = eventsPage(messagingGraph);
    for (const event of events) expect(page).toContain(`\n## ${event.name}\n\n${event.description}\n`);
    expect(lineWith(page, '| CookieIssued')).toBe('| CookieIssued | `cookie.issued.v1` | cookie | device-registry |');
    expect(lineWith(page, '| PurchaseCompleted')).toContain('| checkout |');
    expect(page).toContain('| `purchaseId` | no | gateway |');
  });
});

describe('the page of settings', () => {
  it('shows defaults, marks secrets, and keeps its table whole', () => {
    const page = configurationPage([
      {
        app: 'gateway',
        settings: [
          { variable: 'A', description: 'For <merchantId>, this | or that', fallback: '8080' },
          { variable: 'B', description: 'Where it lies', secret: true },
          { variable: 'C', description: 'Pairs', fallback: '' },
        ],
      },
    ]);
    expect(page).toContain('## gateway');
    expect(lineWith(page, '| `A`')).toBe('| `A` | `8080` | For \\<merchantId>, this \\| or that |');
    expect(lineWith(page, '| `B`')).toBe('| `B` | none | Where it lies. Secret. |');
    expect(lineWith(page, '| `C`')).toBe('| `C` | empty | Pairs |');
  });
});
