import { describe, expect, it } from '@jest/globals';
import { expressPlayCodes, expressPlayEndpoints } from '@latchkey/contracts';
import { expressPlayPage } from './expressplay-page.js';

const page = expressPlayPage();
const lines = page.split('\n');

describe('the page of the ExpressPlay-shaped surface', () => {
  it('has every endpoint, parameter and code', () => {
    for (const { methods, path, parameters } of expressPlayEndpoints) {
      const start = lines.indexOf(`## ${methods.join(', ')} ${path}`);
      const end = lines.findIndex((line, index) => index > start && line.startsWith('## '));
      expect([path, start > 0]).toEqual([path, true]);
      const rows = lines.slice(start, end).filter((line) => line.startsWith('| `'));
      expect(rows.map((row) => /^\| `([^`]+)`/.exec(row)![1])).toEqual(parameters.map(({ name }) => name));
    }
    for (const code of Object.keys(expressPlayCodes)) expect(lines.filter((line) => line.startsWith(`| \`${code}\` |`))).toHaveLength(1);
  });

  it('says of a parameter when it must be there, how it is written, and with which codes it is refused', () => {
    expect(lines).toContain('| `rental.periodEndTime` | when rightsType is Rental | When the rental is over, whatever was played of it | a time as RFC 3339 with Z, or + and seconds; a time to come, within ten years | missing -2022, form -2024, range -2024 |');
    expect(page).toContain('| `deviceId`, `deviceid` | no |');
    expect(page).toContain('| `cookie`, header `x-latchkey-cookie` | yes |');
    expect(page).toContain('Together: only one of kek and contentKey (`-5007`);');
    expect(page).toContain('Known and passed over: `analogVideoOPL`');
  });
});
