/** What every generated page begins with, so that nobody edits it by hand. */
const generatedNote = '<!-- Made by `npm run generate`; a check fails when it drifts. Do not edit. -->';

/** A generated page: its title, then paragraphs and tables, ending in a line feed. */
export function markdownPage(title: string, parts: readonly string[]): string {
  return `${[generatedNote, `# ${title}`, ...parts].join('\n\n')}\n`;
}

/** A table; whatever stands in its cells stays within them, and none of it is taken for HTML, which would be left out. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (text.startsWith('`') ? text : text.replaceAll('<', '\\<')).replaceAll('|', '\\|').replaceAll('\n', ' ');
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text as code. */
export function code(text: string): string {
  return `\`${text}\``;
}
