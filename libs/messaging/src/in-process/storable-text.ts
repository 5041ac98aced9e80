/**
 * The text as PostgreSQL can keep it: it refuses NUL, and one such text would fail its whole batch for ever. What must
 * arrive unchanged is kept as JSON or bytes instead.
 */
export function storableText(text: string): string {
  return text.replaceAll('\0', '');
}
